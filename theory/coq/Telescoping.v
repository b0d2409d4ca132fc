(** telescoping: prod_t f_t(lam) = sqrt(N_0/N_T) c(lam) for every chain, pi/2 included. *)

Require Import Reals Lra Lia.
Require Import Geometry.
Open Scope R_scope.

Lemma one_step s t lam : 0 < lam -> 0 <= s <= PI / 2 -> 0 <= t <= PI / 2 ->
  f s t lam = sqrt (N lam s) / sqrt (N lam t) * cos (psi lam t - psi lam s).
Proof.
  intros pos rs rt.
  destruct (psi_direction lam s pos rs) as [_ [cs ss]]. destruct (psi_direction lam t pos rt) as [_ [ct st]].
  assert (ns : 0 < sqrt (N lam s)) by (apply sqrt_lt_R0, N_pos; auto).
  assert (nt : 0 < sqrt (N lam t)) by (apply sqrt_lt_R0, N_pos; auto).
  rewrite cos_minus. unfold f.
  replace (N lam t) with (sqrt (N lam t) * sqrt (N lam t)) at 1 by (apply sqrt_sqrt; left; apply N_pos; auto).
  replace (lam * (cos s * cos t)) with ((sqrt lam * cos s) * (sqrt lam * cos t)).
  2: { rewrite <- (sqrt_sqrt lam) at 3 by lra. ring. }
  rewrite <- cs, <- ct, <- ss, <- st. field. lra.
Qed.

Theorem telescoping : forall (phi : nat -> R) (T : nat) (lam : R), schedule phi T -> 0 < lam ->
  chain phi T lam = sqrt (N lam (phi 0%nat) / N lam (phi T)) * defect phi T lam.
Proof.
  intros phi T lam sch pos. rewrite sqrt_div_alt by (apply N_pos; auto).
  assert (root : forall k, 0 < sqrt (N lam (phi k))) by (intros; apply sqrt_lt_R0, N_pos; auto).
  induction T as [|T IH].
  - unfold chain, defect. simpl. field. specialize (root 0%nat). lra.
  - unfold chain, defect in *. simpl. rewrite IH by (apply schedule_shorter; auto).
    rewrite (one_step (phi T) (phi (S T)) lam) by (auto; apply (schedule_within phi (S T)); auto).
    field. split; apply Rgt_not_eq; apply root.
Qed.
