(** optimal-schedule-one-scale: with fixed end points c(lam) is largest, and KL and W_2 least, for equal steps of psi.
    moran-minimum: from 0 to pi/2 the least lam** is sec(pi/2T)^{2T}. *)

Require Import Reals Lra Lia.
Require Import Geometry Moran MoranRoot Telescoping Cosines.
Open Scope R_scope.

Lemma small_sine x : - (PI / 2) <= x <= PI / 2 -> (0 <= sin x -> 0 <= x) /\ (sin x = 0 -> x = 0).
Proof.
  intros range. pose proof PI_RGT_0.
  assert (neg : x < 0 -> sin x < 0).
  { intros less. assert (0 < sin (- x)) by (apply sin_pos; lra). rewrite sin_neg in *. lra. }
  assert (pos : 0 < x -> 0 < sin x) by (intros; apply sin_pos; lra).
  split; intros s; destruct (Rtotal_order x 0) as [l|[e|g]]; auto; try lra; try (specialize (neg l)); try (specialize (pos g)); lra.
Qed.

Lemma psi_order lam s t : 0 < lam -> 0 <= s < t -> t <= PI / 2 -> 0 <= psi lam t - psi lam s <= PI / 2.
Proof.
  intros pos order top.
  destruct (psi_direction lam s pos) as [rs [cs ss]]; [lra|]. destruct (psi_direction lam t pos) as [rt [ct st]]; [lra|].
  split; [|lra]. apply small_sine; [lra|].
  assert (n : 0 < sqrt (N lam s) * sqrt (N lam t)) by (apply Rmult_lt_0_compat; apply sqrt_lt_R0, N_pos; auto).
  assert (l : 0 < sqrt lam) by (apply sqrt_lt_R0; auto).
  apply Rmult_le_reg_l with (sqrt (N lam s) * sqrt (N lam t)); auto. rewrite Rmult_0_r, sin_minus.
  replace (sqrt (N lam s) * sqrt (N lam t) * (sin (psi lam t) * cos (psi lam s) - cos (psi lam t) * sin (psi lam s)))
    with (sqrt (N lam t) * sin (psi lam t) * (sqrt (N lam s) * cos (psi lam s))
          - sqrt (N lam t) * cos (psi lam t) * (sqrt (N lam s) * sin (psi lam s))) by ring.
  rewrite cs, ss, ct, st. replace (sin t * (sqrt lam * cos s) - sqrt lam * cos t * sin s)
    with (sqrt lam * (sin t * cos s - cos t * sin s)) by ring.
  rewrite <- sin_minus. apply Rmult_le_pos; [lra | apply sin_nonneg; lra].
Qed.

Lemma psi_of_sigma lam p theta : 0 < lam -> 0 <= p < PI / 2 -> 0 <= theta < PI / 2 ->
  tan p = sqrt lam * tan theta -> psi lam p = theta.
Proof.
  intros pos rp rt same. destruct (psi_direction lam p pos) as [range [c s]]; [lra|].
  assert (0 < cos p) by (apply cos_pos; auto). assert (0 < cos theta) by (apply cos_pos; auto).
  assert (n : 0 < sqrt (N lam p)) by (apply sqrt_lt_R0, N_pos; auto).
  assert (zero : sin (psi lam p - theta) = 0).
  { apply Rmult_eq_reg_l with (sqrt (N lam p)); [|lra]. rewrite Rmult_0_r, sin_minus.
    replace (sqrt (N lam p) * (sin (psi lam p) * cos theta - cos (psi lam p) * sin theta))
      with (sqrt (N lam p) * sin (psi lam p) * cos theta - sqrt (N lam p) * cos (psi lam p) * sin theta) by ring.
    rewrite c, s. replace (sin p) with (tan p * cos p) by (unfold tan; field; lra). rewrite same.
    unfold tan. field. lra. }
  apply small_sine in zero; lra.
Qed.

Lemma psi_zero lam : 0 < lam -> psi lam 0 = 0.
Proof. intros pos. pose proof PI_RGT_0. apply psi_of_sigma; try lra. rewrite tan_0. ring. Qed.

Lemma psi_half_pi lam : psi lam (PI / 2) = PI / 2.
Proof. unfold psi. rewrite cos_PI2. replace (sqrt lam * 0 / _) with 0 by (unfold Rdiv; ring). apply acos_0. Qed.

Definition mean_step (phi : nat -> R) (T : nat) (lam : R) : R := (psi lam (phi T) - psi lam (phi 0%nat)) / INR T.

Lemma largest_defect phi T lam : (0 < T)%nat -> schedule phi T -> 0 < lam ->
  0 <= defect phi T lam <= cos (mean_step phi T lam) ^ T.
Proof.
  intros some sch pos. pose proof PI_RGT_0.
  assert (n : 1 <= INR T) by (apply (le_INR 1); auto).
  set (x := fun k => psi lam (phi (S k)) - psi lam (phi k)).
  assert (range : forall k, (k < T)%nat -> 0 <= x k <= PI / 2).
  { intros k less. destruct (step_order phi T sch k less). apply psi_order; auto. }
  assert (sum : total x T = INR T * mean_step phi T lam).
  { unfold x. rewrite (total_differences (fun k => psi lam (phi k))). unfold mean_step. field. lra. }
  destruct (Nat.eq_dec T 1) as [->|other].
  - unfold defect, mean_step. simpl. unfold Rdiv. rewrite Rinv_1, !Rmult_1_r, Rmult_1_l.
    split; [apply cos_nonneg, (range 0%nat) | right; reflexivity]; lia.
  - assert (two : 2 <= INR T) by (apply (le_INR 2); lia).
    assert (zero : 0 <= total x T).
    { rewrite <- (Rmult_0_l (total (fun _ => 0) T)), <- total_scale. apply total_le. intros k less.
      specialize (range k less). lra. }
    assert (whole : total x T <= PI / 2).
    { unfold x. rewrite (total_differences (fun k => psi lam (phi k))).
      destruct (psi_direction lam (phi T) pos) as [bt _]; [apply (schedule_within phi T); auto|].
      destruct (psi_direction lam (phi 0%nat) pos) as [b0 _]; [apply (schedule_within phi T); auto; lia|]. lra. }
    apply (equal_angles_are_best x); auto. rewrite sum in zero, whole. split.
    + apply Rmult_le_reg_l with (INR T); lra.
    + apply Rmult_lt_reg_l with (INR T); [lra|].
      assert (2 * (PI / 2) <= INR T * (PI / 2)) by (apply Rmult_le_compat_r; lra). lra.
Qed.

(** psi_k = psi_0 + k m *)
Definition uniform_in_psi (phi : nat -> R) (T : nat) (lam : R) : Prop :=
  forall k, (k <= T)%nat -> psi lam (phi k) = psi lam (phi 0%nat) + INR k * mean_step phi T lam.

Lemma uniform_defect phi T lam : uniform_in_psi phi T lam -> defect phi T lam = cos (mean_step phi T lam) ^ T.
Proof.
  intros uni. unfold defect. rewrite <- prod_const. apply prod_ext. intros k less.
  rewrite (uni (S k)), (uni k) by lia. rewrite S_INR. f_equal. ring.
Qed.

Definition kl (c : R) : R := (c * c - 1 - ln (c * c)) / 2.
Definition w2_squared (n0 c : R) : R := n0 * ((1 - c) * (1 - c)).

Lemma ln_le x : 0 < x -> ln x <= x - 1.
Proof.
  intros pos. destruct (Req_dec x 1) as [->|other]; [rewrite ln_1; lra|].
  assert (l : ln x <> 0). { intros z. apply other. rewrite <- (exp_ln x pos), z. apply exp_0. }
  pose proof (exp_ineq1 (ln x) l). rewrite exp_ln in *; lra.
Qed.

Lemma kl_falls a b : 0 < a <= b -> b <= 1 -> kl b <= kl a.
Proof.
  intros le top. unfold kl.
  assert (pa : 0 < a * a) by (apply Rmult_lt_0_compat; lra). assert (pb : 0 < b * b) by (apply Rmult_lt_0_compat; lra).
  set (A := a * a) in *. set (B := b * b) in *.
  assert (A <= B) by (unfold A, B; apply Rmult_le_compat; lra). assert (B <= 1) by (unfold B; nra).
  assert (q : 0 < A / B) by (apply Rmult_lt_0_compat; auto using Rinv_0_lt_compat).
  pose proof (ln_le (A / B) q) as L. unfold Rdiv in L at 1. rewrite ln_mult, ln_Rinv in L by auto using Rinv_0_lt_compat.
  assert (A / B - 1 <= A - B); [|lra].
  replace (A / B - 1) with ((A - B) * / B) by (field; lra).
  assert (1 <= / B) by (rewrite <- Rinv_1; apply Rinv_le_contravar; lra). nra.
Qed.

Theorem optimal_schedule_one_scale : forall (phi best : nat -> R) (T : nat) (lam : R),
  (0 < T)%nat -> 0 < lam -> schedule phi T -> schedule best T ->
  best 0%nat = phi 0%nat -> best T = phi T -> uniform_in_psi best T lam -> 0 < defect phi T lam ->
  defect phi T lam <= defect best T lam /\
  kl (defect best T lam) <= kl (defect phi T lam) /\
  w2_squared (N lam (phi 0%nat)) (defect best T lam) <= w2_squared (N lam (phi 0%nat)) (defect phi T lam).
Proof.
  intros phi best T lam some pos sp sb first last uni alive.
  assert (le : defect phi T lam <= defect best T lam).
  { rewrite (uniform_defect best) by auto. unfold mean_step. rewrite first, last. apply largest_defect; auto. }
  assert (top : defect best T lam <= 1).
  { apply Rle_trans with (1 ^ T); [|rewrite pow1; lra]. rewrite <- prod_const. apply prod_le. intros k less.
    split; [|apply COS_bound]. apply cos_nonneg. destruct (step_order best T sb k less). apply psi_order; auto. }
  split; [exact le|split].
  - apply kl_falls; lra.
  - unfold w2_squared. apply Rmult_le_compat_l; [left; apply N_pos; auto|]. apply Rmult_le_compat; lra.
Qed.

