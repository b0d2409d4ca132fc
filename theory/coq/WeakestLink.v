(** weakest-link-is-first: L*_t increases with t, so min_t L*_t = L*_1, which is tan(phi_1/2) when phi_0 = 0. *)

Require Import Reals Lra Lia.
Require Import Geometry.
Open Scope R_scope.

Lemma neighbours p0 p1 p2 : 0 <= p0 < p1 -> p1 < p2 <= PI / 2 -> Lstar p0 p1 < Lstar p1 p2.
Proof.
  intros first second. unfold Lstar. pose proof PI_RGT_0.
  assert (c1 : 0 < cos ((p1 - p0) / 2)) by (apply cos_gt_0; lra).
  assert (c2 : 0 < cos ((p2 - p1) / 2)) by (apply cos_gt_0; lra).
  assert (c : 0 < cos p1) by (apply cos_gt_0; lra).
  assert (s : 0 < sin ((p2 - p0) / 2)) by (apply sin_gt_0; lra).
  assert (e : sin ((p1 + p2) / 2) * cos ((p1 - p0) / 2) - sin ((p0 + p1) / 2) * cos ((p2 - p1) / 2)
              = cos p1 * sin ((p2 - p0) / 2)).
  { set (a := (p2 - p1) / 2). set (b := (p1 - p0) / 2).
    replace ((p1 + p2) / 2) with (p1 + a) by (unfold a; field).
    replace ((p0 + p1) / 2) with (p1 - b) by (unfold b; field).
    replace ((p2 - p0) / 2) with (a + b) by (unfold a, b; field).
    rewrite !sin_plus, sin_minus. ring. }
  apply Rmult_lt_reg_r with (cos ((p1 - p0) / 2) * cos ((p2 - p1) / 2)); [apply Rmult_lt_0_compat; auto|].
  field_simplify; try lra. assert (0 < cos p1 * sin ((p2 - p0) / 2)) by (apply Rmult_lt_0_compat; auto). lra.
Qed.

Theorem weakest_link_is_first : forall (phi : nat -> R) (T : nat), schedule phi T ->
  (forall j k, (j < k < T)%nat -> Lstar (phi j) (phi (S j)) < Lstar (phi k) (phi (S k))) /\
  (forall k, (k < T)%nat -> Lstar (phi 0%nat) (phi 1%nat) <= Lstar (phi k) (phi (S k))) /\
  (phi 0%nat = 0 -> Lstar (phi 0%nat) (phi 1%nat) = tan (phi 1%nat / 2)).
Proof.
  intros phi T sch.
  assert (up : forall j k, (j < k < T)%nat -> Lstar (phi j) (phi (S j)) < Lstar (phi k) (phi (S k))).
  { assert (next : forall k, (S k < T)%nat -> Lstar (phi k) (phi (S k)) < Lstar (phi (S k)) (phi (S (S k)))).
    { intros k less. apply neighbours; split.
      - apply (schedule_within phi T); auto; lia.
      - apply (schedule_order phi T); auto; lia.
      - apply (schedule_order phi T); auto; lia.
      - apply (schedule_within phi T); auto; lia. }
    intros j k [less within]. induction less as [|k less IH]; [apply next; lia|].
    apply Rlt_trans with (Lstar (phi k) (phi (S k))); [apply IH; lia | apply next; lia]. }
  split; [exact up|split].
  - intros [|k] within; [apply Rle_refl|]. left. apply up. lia.
  - intros zero. unfold Lstar, tan. rewrite zero. repeat f_equal; field.
Qed.
