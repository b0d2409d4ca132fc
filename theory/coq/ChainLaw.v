(** chain-law: along a direction of variance lam and mean mu the chain is affine,
      x_0 - cos phi_0 mu = sqrt(N_0/N_T) c(lam) (x_T - cos phi_T mu),
    so that x_T ~ N(cos phi_T mu, N_T) comes out with the mean cos phi_0 mu and the deviation sqrt(N_0) c, and
    x_T ~ N(0, 1) with q = c/sqrt(N_T): deviation sqrt(N_0) q, mean off by - sqrt(N_0) q cos phi_T mu. *)

Require Import Reals Lra Lia.
Require Import Geometry Moran MoranRoot Telescoping.
Open Scope R_scope.

(** step k maps x_t to x_s, with the factor f_t(lam) about the scaled mean *)
Definition gaussian_step (phi : nat -> R) (T : nat) (lam mu : R) (step : nat -> R -> R) : Prop :=
  forall k x, (k < T)%nat -> step k x - cos (phi k) * mu = f (phi k) (phi (S k)) lam * (x - cos (phi (S k)) * mu).

Theorem chain_law : forall (phi : nat -> R) (T : nat) (lam mu : R) (step : nat -> R -> R),
  schedule phi T -> 0 < lam -> gaussian_step phi T lam mu step ->
  let q := defect phi T lam / sqrt (N lam (phi T)) in
  (forall x, run step T x - cos (phi 0%nat) * mu
     = sqrt (N lam (phi 0%nat) / N lam (phi T)) * defect phi T lam * (x - cos (phi T) * mu)) /\
  (forall z, run step T (cos (phi T) * mu + sqrt (N lam (phi T)) * z)
     = cos (phi 0%nat) * mu + sqrt (N lam (phi 0%nat)) * defect phi T lam * z) /\
  (forall z, run step T z
     = cos (phi 0%nat) * mu - sqrt (N lam (phi 0%nat)) * q * (cos (phi T) * mu) + sqrt (N lam (phi 0%nat)) * q * z).
Proof.
  intros phi T lam mu step sch pos steps q.
  assert (all : forall x, run step T x - cos (phi 0%nat) * mu = chain phi T lam * (x - cos (phi T) * mu)).
  { clear q sch. induction T as [|T IH]; intros x; unfold chain in *; simpl; [ring|].
    rewrite IH by (intros k y less; apply steps; auto). rewrite steps by auto. ring. }
  assert (n : 0 < sqrt (N lam (phi T))) by (apply sqrt_lt_R0, N_pos; auto).
  assert (law : forall x, run step T x - cos (phi 0%nat) * mu
     = sqrt (N lam (phi 0%nat) / N lam (phi T)) * defect phi T lam * (x - cos (phi T) * mu)).
  { intros x. rewrite all, telescoping by auto. reflexivity. }
  split; [exact law|].
  assert (root : forall x, run step T x = cos (phi 0%nat) * mu
     + sqrt (N lam (phi 0%nat)) / sqrt (N lam (phi T)) * defect phi T lam * (x - cos (phi T) * mu)).
  { intros x. specialize (law x). rewrite sqrt_div_alt in law by (apply N_pos; auto). lra. }
  split; intros z; rewrite root; unfold q; field; lra.
Qed.
