(** The theory's symbols, over every number of steps T.

    A schedule is its angles phi 0 < ... < phi T in [0, pi/2]. Step t = k + 1 goes from phi (S k) to phi k:
      N lam p        N_t(lam) = lam cos^2 phi_t + sin^2 phi_t
      f s t lam      f_t(lam) = r_t - |b_t| sqrt(v_t)/N_t(lam), here in the form that is valid at pi/2 too
      Lstar s t      L*_t = (r_t - 1)/|b_t|, likewise
      psi lam p      psi_t(lam) = atan2(sin phi_t, sqrt(lam) cos phi_t)
      chain phi T    prod_t f_t(lam)
      defect phi T   c(lam) = prod_t cos(psi_t - psi_s)
    The lemmas below say that these are the theory's definitions. *)

Require Import Reals Lra Lia.
Open Scope R_scope.

Definition schedule (phi : nat -> R) (T : nat) : Prop :=
  0 <= phi 0%nat /\ (forall k, (k < T)%nat -> phi k < phi (S k)) /\ phi T <= PI / 2.

(** a 0 ... a (T-1), multiplied and added *)
Fixpoint prod (a : nat -> R) (T : nat) : R := match T with O => 1 | S k => prod a k * a k end.
Fixpoint total (a : nat -> R) (T : nat) : R := match T with O => 0 | S k => total a k + a k end.

Definition N (lam p : R) : R := lam * (cos p * cos p) + sin p * sin p.
Definition f (s t lam : R) : R := (lam * (cos s * cos t) + sin s * sin t) / N lam t.
Definition Lstar (s t : R) : R := sin ((s + t) / 2) / cos ((t - s) / 2).
Definition psi (lam p : R) : R := acos (sqrt lam * cos p / sqrt (N lam p)).

Definition chain (phi : nat -> R) (T : nat) (lam : R) : R := prod (fun k => f (phi k) (phi (S k)) lam) T.
Definition defect (phi : nat -> R) (T : nat) (lam : R) : R :=
  prod (fun k => cos (psi lam (phi (S k)) - psi lam (phi k))) T.

Lemma unit_circle p : sin p * sin p + cos p * cos p = 1.
Proof. exact (sin2_cos2 p). Qed.

(** angles of a schedule *)

Lemma schedule_shorter phi T : schedule phi (S T) -> schedule phi T.
Proof.
  intros [zero [up top]]. repeat split; auto with arith.
  assert (phi T < phi (S T)) by auto with arith. lra.
Qed.

Lemma schedule_order phi T : schedule phi T -> forall j k, (j < k)%nat -> (k <= T)%nat -> phi j < phi k.
Proof.
  intros [_ [up _]] j k less. induction less as [|k less IH]; intros within.
  - apply up. lia.
  - apply Rlt_trans with (phi k); [apply IH | apply up]; lia.
Qed.

Lemma schedule_within phi T : schedule phi T -> forall k, (k <= T)%nat -> 0 <= phi k <= PI / 2.
Proof.
  intros sch k within. split.
  - destruct k as [|k]; [apply sch|].
    apply Rle_trans with (phi 0%nat); [apply sch | left; apply (schedule_order phi T); auto; lia].
  - destruct (Nat.eq_dec k T) as [->|other]; [apply sch|].
    apply Rle_trans with (phi T); [left; apply (schedule_order phi T); auto; lia | apply sch].
Qed.

Lemma schedule_inner phi T : schedule phi T -> forall k, (k < T)%nat -> 0 <= phi k < PI / 2.
Proof.
  intros sch k less. split; [apply (schedule_within phi T); auto; lia|].
  apply Rlt_le_trans with (phi T); [apply (schedule_order phi T); auto | apply sch].
Qed.

(** sines and cosines there *)

Lemma cos_pos p : 0 <= p < PI / 2 -> 0 < cos p.
Proof. intros. apply cos_gt_0; lra. Qed.

Lemma cos_nonneg p : 0 <= p <= PI / 2 -> 0 <= cos p.
Proof. intros. apply cos_ge_0; lra. Qed.

Lemma sin_pos p : 0 < p <= PI / 2 -> 0 < sin p.
Proof. intros. pose proof PI_RGT_0. apply sin_gt_0; lra. Qed.

Lemma sin_nonneg p : 0 <= p <= PI / 2 -> 0 <= sin p.
Proof. intros. pose proof PI_RGT_0. apply sin_ge_0; lra. Qed.

Lemma N_pos lam p : 0 < lam -> 0 < N lam p.
Proof.
  intros pos. unfold N. pose proof (unit_circle p).
  pose proof (Rle_0_sqr (sin p)) as S; pose proof (Rle_0_sqr (cos p)) as C; unfold Rsqr in S, C.
  destruct (Req_dec (cos p * cos p) 0) as [e|e]; [rewrite e in *; lra|].
  assert (0 < lam * (cos p * cos p)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

Lemma N_pos_from_zero lam p : 0 <= lam -> 0 < p <= PI / 2 -> 0 < N lam p.
Proof.
  intros pos range. unfold N. assert (0 < sin p) by (apply sin_pos; auto).
  assert (0 < sin p * sin p) by (apply Rmult_lt_0_compat; auto).
  pose proof (Rle_0_sqr (cos p)) as C; unfold Rsqr in C.
  assert (0 <= lam * (cos p * cos p)) by (apply Rmult_le_pos; auto). lra.
Qed.

(** the definitions agree with the theory's *)

Lemma f_is_diagonal_expansion s t lam : 0 < cos t -> N lam t <> 0 ->
  f s t lam = cos s / cos t - sin (t - s) / cos t * sin t / N lam t.
Proof.
  intros c n. unfold f. rewrite sin_minus. unfold N in *. field. split; lra.
Qed.

Lemma f_at_half_pi s lam : f s (PI / 2) lam = cos (PI / 2 - s).
Proof. unfold f, N. rewrite cos_PI2, sin_PI2, cos_shift. field. Qed.

Lemma f_at_one s t : f s t 1 = cos (t - s).
Proof.
  unfold f, N. rewrite cos_minus.
  replace (1 * (cos t * cos t) + sin t * sin t) with 1 by (pose proof (unit_circle t); lra). field.
Qed.

Lemma Lstar_is_threshold s t : 0 <= s < t -> t < PI / 2 ->
  Lstar s t = (cos s / cos t - 1) / (sin (t - s) / cos t).
Proof.
  intros order top. assert (0 < cos t) by (apply cos_pos; lra).
  assert (0 < cos ((t - s) / 2)) by (apply cos_gt_0; lra).
  assert (0 < sin ((t - s) / 2)) by (apply sin_pos; lra).
  assert (up : cos s - cos t = 2 * sin ((s + t) / 2) * sin ((t - s) / 2)).
  { pose proof (form2 s t) as F. replace ((s - t) / 2) with (- ((t - s) / 2)) in F by field.
    rewrite sin_neg in F. lra. }
  assert (down : sin (t - s) = 2 * sin ((t - s) / 2) * cos ((t - s) / 2)).
  { replace (t - s) with (2 * ((t - s) / 2)) at 1 by field. apply sin_2a. }
  replace ((cos s / cos t - 1) / (sin (t - s) / cos t)) with ((cos s - cos t) / sin (t - s)).
  - unfold Lstar. rewrite up, down. field. lra.
  - field. rewrite down. split; [lra|]. assert (0 < sin ((t - s) / 2) * cos ((t - s) / 2)) by (apply Rmult_lt_0_compat; auto). lra.
Qed.

Lemma Lstar_at_half_pi s : 0 <= s < PI / 2 -> Lstar s (PI / 2) = 1.
Proof.
  intros range. unfold Lstar.
  replace ((s + PI / 2) / 2) with (PI / 2 - (PI / 2 - s) / 2) by field. rewrite sin_shift.
  apply Rinv_r. assert (0 < cos ((PI / 2 - s) / 2)) by (apply cos_gt_0; lra). lra.
Qed.

Lemma psi_direction lam p : 0 < lam -> 0 <= p <= PI / 2 ->
  0 <= psi lam p <= PI / 2 /\
  sqrt (N lam p) * cos (psi lam p) = sqrt lam * cos p /\ sqrt (N lam p) * sin (psi lam p) = sin p.
Proof.
  intros pos range. assert (n : 0 < N lam p) by (apply N_pos; auto).
  assert (root : 0 < sqrt (N lam p)) by (apply sqrt_lt_R0; auto).
  assert (c : 0 <= cos p) by (apply cos_nonneg; auto).
  assert (l : 0 < sqrt lam) by (apply sqrt_lt_R0; auto).
  set (x := sqrt lam * cos p / sqrt (N lam p)).
  assert (x0 : 0 <= x) by (apply Rmult_le_pos; [apply Rmult_le_pos; lra | left; apply Rinv_0_lt_compat; auto]).
  assert (square : x * x = lam * (cos p * cos p) / N lam p).
  { transitivity ((sqrt lam * sqrt lam) * (cos p * cos p) / (sqrt (N lam p) * sqrt (N lam p))).
    - unfold x. field. lra.
    - rewrite !sqrt_sqrt by lra. reflexivity. }
  assert (rest : 1 - x * x = sin p * sin p / N lam p).
  { rewrite square. unfold N in *. field. lra. }
  assert (x1 : -1 <= x <= 1).
  { split; [lra|]. assert (0 <= sin p * sin p / N lam p).
    { apply Rmult_le_pos; [apply Rle_0_sqr | left; apply Rinv_0_lt_compat; auto]. } nra. }
  assert (cosine : cos (psi lam p) = x) by (apply cos_acos; auto).
  assert (bounds : 0 <= psi lam p <= PI) by apply acos_bound.
  assert (quarter : psi lam p <= PI / 2).
  { destruct (Rle_or_lt (psi lam p) (PI / 2)) as [ok|big]; auto.
    assert (cos (psi lam p) < 0) by (apply cos_lt_0; lra). lra. }
  split; [lra|split].
  - rewrite cosine. unfold x. field. lra.
  - assert (s0 : 0 <= sin (psi lam p)) by (apply sin_nonneg; lra).
    assert (s1 : 0 <= sin p) by (apply sin_nonneg; auto).
    apply Rsqr_inj; auto; [apply Rmult_le_pos; lra|]. unfold Rsqr.
    pose proof (unit_circle (psi lam p)) as U. rewrite cosine in U.
    replace (sqrt (N lam p) * sin (psi lam p) * (sqrt (N lam p) * sin (psi lam p)))
      with (sqrt (N lam p) * sqrt (N lam p) * (sin (psi lam p) * sin (psi lam p))) by ring.
    rewrite sqrt_sqrt by lra. replace (sin (psi lam p) * sin (psi lam p)) with (1 - x * x) by lra.
    rewrite rest. field. lra.
Qed.

(** products and sums *)

Lemma prod_ext a b T : (forall k, (k < T)%nat -> a k = b k) -> prod a T = prod b T.
Proof. induction T; simpl; intros same; auto. rewrite IHT, (same T); auto. Qed.

Lemma prod_pos a T : (forall k, (k < T)%nat -> 0 < a k) -> 0 < prod a T.
Proof. induction T; simpl; intros pos; [lra|]. apply Rmult_lt_0_compat; auto. Qed.

Lemma prod_le a b T : (forall k, (k < T)%nat -> 0 <= a k <= b k) -> 0 <= prod a T <= prod b T.
Proof.
  induction T; simpl; intros le; [lra|]. specialize (IHT (fun k less => le k (Nat.lt_lt_succ_r _ _ less))).
  destruct (le T) as [low high]; auto. split; [apply Rmult_le_pos; lra | apply Rmult_le_compat; lra].
Qed.

Lemma prod_const c T : prod (fun _ => c) T = c ^ T.
Proof. induction T; simpl; auto. rewrite IHT. ring. Qed.

Lemma total_ext a b T : (forall k, (k < T)%nat -> a k = b k) -> total a T = total b T.
Proof. induction T; simpl; intros same; auto. rewrite IHT, (same T); auto. Qed.

Lemma total_le a b T : (forall k, (k < T)%nat -> a k <= b k) -> total a T <= total b T.
Proof. induction T; simpl; intros le; [lra|]. apply Rplus_le_compat; auto. Qed.

Lemma total_scale c a T : total (fun k => c * a k) T = c * total a T.
Proof. induction T; simpl; [ring|]. rewrite IHT. ring. Qed.

Lemma total_plus a b T : total (fun k => a k + b k) T = total a T + total b T.
Proof. induction T; simpl; [ring|]. rewrite IHT. ring. Qed.

Lemma total_differences (a : nat -> R) T : total (fun k => a (S k) - a k) T = a T - a 0%nat.
Proof. induction T; simpl; [ring|]. rewrite IHT. ring. Qed.

Lemma ln_prod a T : (forall k, (k < T)%nat -> 0 < a k) -> ln (prod a T) = total (fun k => ln (a k)) T.
Proof.
  induction T; simpl; intros pos; [apply ln_1|]. rewrite ln_mult; auto; [|apply prod_pos; auto]. rewrite IHT; auto.
Qed.
