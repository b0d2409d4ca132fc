(** The largest product of T cosines of angles with a given sum is that of equal angles. *)

Require Import Reals Lra Lia.
Require Import Geometry.
Open Scope R_scope.

Lemma falls (F F' : R -> R) a b : a < b ->
  (forall c, a <= c <= b -> derivable_pt_lim F c (F' c)) -> (forall c, a < c < b -> F' c < 0) -> F b < F a.
Proof.
  intros less slope neg. destruct (MVT_cor2 F F' a b less slope) as [c [e range]].
  assert (F' c * (b - a) < 0); [|lra]. rewrite <- (Rmult_0_l (b - a)). apply Rmult_lt_compat_r; [lra | auto].
Qed.

Lemma rises (F F' : R -> R) a b : a < b ->
  (forall c, a <= c <= b -> derivable_pt_lim F c (F' c)) -> (forall c, a < c < b -> 0 < F' c) -> F a < F b.
Proof.
  intros less slope pos. destruct (MVT_cor2 F F' a b less slope) as [c [e range]].
  assert (0 < F' c * (b - a)); [|lra]. apply Rmult_lt_0_compat; [auto | lra].
Qed.

(** cos x exp(k x) is largest on [0, pi/2] where tan x = k *)

Definition tilted (k x : R) : R := cos x * exp (k * x).

Lemma tilted_slope k x : derivable_pt_lim (tilted k) x ((k * cos x - sin x) * exp (k * x)).
Proof.
  replace ((k * cos x - sin x) * exp (k * x)) with (- sin x * exp (k * x) + cos x * (exp (k * x) * (k * 1))) by ring.
  apply (derivable_pt_lim_mult cos (fun x => exp (k * x))); [apply derivable_pt_lim_cos|].
  apply (derivable_pt_lim_comp (fun x => k * x) exp); [|apply derivable_pt_lim_exp].
  apply (derivable_pt_lim_scal id), derivable_pt_lim_id.
Qed.

Lemma sine_of_difference m c : 0 < cos m -> tan m * cos c - sin c = sin (m - c) / cos m.
Proof. intros pos. unfold tan. rewrite sin_minus. field. lra. Qed.

Lemma below_tangent m x : 0 <= m < PI / 2 -> 0 <= x <= PI / 2 -> cos x <= cos m * exp (tan m * (m - x)).
Proof.
  intros rm rx. assert (c : 0 < cos m) by (apply cos_pos; auto).
  assert (le : tilted (tan m) x <= tilted (tan m) m).
  { destruct (Rtotal_order x m) as [lt|[->|gt]]; [left|lra|left].
    - apply (rises _ _ x m lt (fun y _ => tilted_slope (tan m) y)). intros y range.
      apply Rmult_lt_0_compat; [|apply exp_pos]. rewrite sine_of_difference by auto.
      apply Rmult_lt_0_compat; [apply sin_pos; lra | apply Rinv_0_lt_compat; auto].
    - apply (falls _ _ m x gt (fun y _ => tilted_slope (tan m) y)). intros y range.
      rewrite sine_of_difference by auto. replace (m - y) with (- (y - m)) by ring. rewrite sin_neg.
      assert (0 < sin (y - m) / cos m * exp (tan m * y)); [|lra].
      repeat apply Rmult_lt_0_compat; [apply sin_pos; lra | apply Rinv_0_lt_compat; auto | apply exp_pos]. }
  unfold tilted in le. apply Rmult_le_reg_r with (exp (tan m * x)); [apply exp_pos|].
  rewrite Rmult_assoc, <- exp_plus. replace (tan m * (m - x) + tan m * x) with (tan m * m) by ring. exact le.
Qed.

Lemma prod_exp (c k : R) (x : nat -> R) (m : R) T :
  prod (fun i => c * exp (k * (m - x i))) T = c ^ T * exp (k * (INR T * m - total x T)).
Proof.
  induction T as [|T IH]; [simpl; replace (k * (0 * m - 0)) with 0 by ring; rewrite exp_0; ring|].
  cbn [prod total pow]. rewrite IH, S_INR.
  replace (k * ((INR T + 1) * m - (total x T + x T))) with (k * (INR T * m - total x T) + k * (m - x T)) by ring.
  rewrite exp_plus. ring.
Qed.

Theorem equal_angles_are_best : forall (x : nat -> R) (T : nat) (m : R),
  0 <= m < PI / 2 -> (forall k, (k < T)%nat -> 0 <= x k <= PI / 2) -> total x T = INR T * m ->
  0 <= prod (fun k => cos (x k)) T <= cos m ^ T.
Proof.
  intros x T m rm rx sum.
  pose proof (prod_le (fun k => cos (x k)) (fun k => cos m * exp (tan m * (m - x k))) T) as le.
  rewrite prod_exp, sum in le. replace (tan m * (INR T * m - INR T * m)) with 0 in le by ring.
  rewrite exp_0, Rmult_1_r in le. apply le. intros k less. split; [apply cos_nonneg | apply below_tangent]; auto.
Qed.

(** cos x < exp(-x^2/2) *)

Lemma less_than_tangent x : 0 < x < PI / 2 -> x * cos x < sin x.
Proof.
  intros range.
  assert (slope : forall c, derivable_pt_lim (fun y => sin y - y * cos y) c (c * sin c)).
  { intros c. replace (c * sin c) with (cos c - (1 * cos c + c * - sin c)) by ring.
    apply (derivable_pt_lim_minus sin (fun y => y * cos y)); [apply derivable_pt_lim_sin|].
    apply (derivable_pt_lim_mult id cos); [apply derivable_pt_lim_id | apply derivable_pt_lim_cos]. }
  assert (lt : sin 0 - 0 * cos 0 < sin x - x * cos x).
  { apply (rises (fun y => sin y - y * cos y) (fun c => c * sin c)); [lra | auto|].
    intros c rc. apply Rmult_lt_0_compat; [lra | apply sin_pos; lra]. }
  rewrite sin_0 in lt. lra.
Qed.

Lemma below_gaussian x : 0 < x < PI / 2 -> cos x < exp (- (x * x) / 2).
Proof.
  intros range. set (F := fun y => cos y * exp (y * y / 2)).
  assert (slope : forall c, derivable_pt_lim F c ((c * cos c - sin c) * exp (c * c / 2))).
  { intros c. replace ((c * cos c - sin c) * exp (c * c / 2))
      with (- sin c * exp (c * c / 2) + cos c * (exp (c * c / 2) * (/ 2 * (1 * c + c * 1)))) by field.
    apply (derivable_pt_lim_mult cos (fun y => exp (y * y / 2))); [apply derivable_pt_lim_cos|].
    apply (derivable_pt_lim_comp (fun y => y * y / 2) exp); [|apply derivable_pt_lim_exp].
    assert (D : derivable_pt_lim (mult_real_fct (/ 2) (id * id)%F) c (/ 2 * (1 * c + c * 1))).
    { apply derivable_pt_lim_scal, derivable_pt_lim_mult; apply derivable_pt_lim_id. }
    intros eps pos. destruct (D eps pos) as [d near]. exists d. intros h h0 small.
    specialize (near h h0 small). unfold mult_real_fct, mult_fct, id in near.
    replace (((c + h) * (c + h) / 2 - c * c / 2) / h) with ((/ 2 * ((c + h) * (c + h)) - / 2 * (c * c)) / h) by (field; auto).
    exact near. }
  assert (lt : F x < F 0).
  { apply (falls F _ 0 x (proj1 range) (fun c _ => slope c)). intros c rc.
    pose proof (less_than_tangent c ltac:(lra)) as l. pose proof (exp_pos (c * c / 2)) as e.
    assert (0 < (sin c - c * cos c) * exp (c * c / 2)) by (apply Rmult_lt_0_compat; lra). lra. }
  unfold F in lt. rewrite cos_0 in lt. replace (0 * 0 / 2) with 0 in lt by field. rewrite exp_0 in lt.
  apply Rmult_lt_reg_r with (exp (x * x / 2)); [apply exp_pos|].
  rewrite <- exp_plus. replace (- (x * x) / 2 + x * x / 2) with 0 by field. rewrite exp_0. lra.
Qed.
