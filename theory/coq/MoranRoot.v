(** moran: the root of the chain's growth, its uniqueness, and the limit that decides whether it exists.
    lyapunov-gaussian: the exponent of a chain along a direction of variance lam, and its sign. *)

Require Import Reals Lra Lia.
Require Import Geometry Moran.
Open Scope R_scope.

Definition root (phi : nat -> R) (T : nat) (lam : R) : Prop := 0 <= lam /\ chain phi T lam = 1.

(** F tends to L for large arguments *)
Definition tends_to (F : R -> R) (L : R) : Prop :=
  forall eps, 0 < eps -> exists M, 0 < M /\ forall lam, M < lam -> Rabs (F lam - L) < eps.

Lemma unique_below phi T : (0 < T)%nat -> schedule phi T -> phi T < PI / 2 ->
  forall a b, 0 <= a -> 0 <= b -> chain phi T a = chain phi T b -> a = b.
Proof.
  intros some sch inner a b pa pb same. destruct (Rtotal_order a b) as [lt|[eq|gt]]; auto.
  - pose proof (chain_lt phi T a b some sch inner (conj pa lt)). lra.
  - pose proof (chain_lt phi T b a some sch inner (conj pb gt)). lra.
Qed.

Lemma last_step phi n lam : phi (S n) = PI / 2 -> chain phi (S n) lam = chain phi n lam * sin (phi n).
Proof. intros top. unfold chain. simpl. rewrite top, f_at_half_pi, cos_shift. reflexivity. Qed.

Section Last.
Variables (phi : nat -> R) (n : nat).
Hypothesis sch : schedule phi (S n).
Hypothesis top : phi (S n) = PI / 2.

Let before : schedule phi n := schedule_shorter phi n sch.

Lemma before_inner : 0 <= phi n < PI / 2.
Proof. apply (schedule_inner phi (S n)); auto. Qed.

Lemma limit_last : cos (phi 0%nat) / cos (phi n) * sin (phi n) = cos (phi 0%nat) * tan (phi n).
Proof. unfold tan. field. pose proof (cos_pos (phi n) before_inner). lra. Qed.

Lemma sin_before : (0 < n)%nat -> 0 < sin (phi n).
Proof.
  intros some. apply sin_pos. pose proof before_inner.
  assert (phi 0%nat < phi n) by (apply (schedule_order phi n); auto). pose proof (proj1 sch). lra.
Qed.

Lemma at_tends_to : tends_to (chain phi (S n)) (cos (phi 0%nat) * tan (phi n)).
Proof.
  intros eps pos. pose proof before_inner as inner.
  destruct (limit_exists phi n eps before (proj2 inner) pos) as [M [Mpos near]]. exists M. split; auto.
  intros lam big. rewrite last_step, <- limit_last by auto.
  replace (chain phi n lam * sin (phi n) - cos (phi 0%nat) / cos (phi n) * sin (phi n))
    with ((chain phi n lam - cos (phi 0%nat) / cos (phi n)) * sin (phi n)) by ring.
  rewrite Rabs_mult, (Rabs_right (sin (phi n))) by (apply Rle_ge, sin_nonneg; lra).
  apply Rle_lt_trans with (Rabs (chain phi n lam - cos (phi 0%nat) / cos (phi n))); [|apply near; auto].
  rewrite <- (Rmult_1_r (Rabs _)) at 2. apply Rmult_le_compat_l; [apply Rabs_pos | apply SIN_bound].
Qed.

Lemma at_exists : (exists lam, root phi (S n) lam) <-> cos (phi 0%nat) * tan (phi n) > 1.
Proof.
  pose proof before_inner as inner. rewrite <- limit_last.
  destruct (Nat.eq_dec n 0) as [zero|some'].
  - assert (s : sin (phi n) < 1).
    { rewrite <- sin_PI2. apply sin_increasing_1; pose proof PI_RGT_0; lra. }
    assert (c : 0 < cos (phi n)) by (apply cos_pos; auto).
    assert (e : cos (phi 0%nat) / cos (phi n) * sin (phi n) = sin (phi n)) by (rewrite zero in *; field; lra).
    rewrite e. split; [|lra]. intros [lam [_ one]]. rewrite last_step in one by auto.
    rewrite zero in one. unfold chain in one. simpl in one. rewrite zero in s. lra.
  - assert (some : (0 < n)%nat) by lia. pose proof (sin_before some) as s. split.
    + intros [lam [pos one]]. rewrite last_step in one by auto.
      pose proof (chain_below_limit phi n lam some before (proj2 inner) pos) as below.
      assert (chain phi n lam * sin (phi n) < cos (phi 0%nat) / cos (phi n) * sin (phi n)) by (apply Rmult_lt_compat_r; auto).
      lra.
    + intros large. destruct (level_reached phi n (/ sin (phi n)) before (proj2 inner)) as [lam [pos one]].
      * split.
        -- apply Rlt_le_trans with 1; [apply chain_one; auto|]. rewrite <- Rinv_1.
           apply Rinv_le_contravar; auto. apply SIN_bound.
        -- apply Rmult_lt_reg_r with (sin (phi n)); auto. rewrite Rinv_l by lra. lra.
      * exists lam. split; [lra|]. rewrite last_step, one by auto. apply Rinv_l. lra.
Qed.

Lemma at_unique a b : root phi (S n) a -> root phi (S n) b -> a = b.
Proof.
  intros [pa oa] [pb ob]. pose proof before_inner as inner. rewrite last_step in oa, ob by auto.
  destruct (Nat.eq_dec n 0) as [zero|some'].
  - exfalso. rewrite zero in *. unfold chain in oa. simpl in oa.
    assert (sin (phi 0%nat) < sin (PI / 2)) by (apply sin_increasing_1; pose proof PI_RGT_0; lra).
    rewrite sin_PI2 in *. lra.
  - assert (some : (0 < n)%nat) by lia. pose proof (sin_before some) as s.
    apply (unique_below phi n some before (proj2 inner)); auto.
    apply Rmult_eq_reg_r with (sin (phi n)); lra.
Qed.
End Last.

Lemma limit_above_one phi T : (0 < T)%nat -> schedule phi T -> phi T < PI / 2 -> cos (phi 0%nat) / cos (phi T) > 1.
Proof.
  intros some sch inner. assert (phi 0%nat < phi T) by (apply (schedule_order phi T); auto).
  assert (0 <= phi 0%nat) by apply sch. pose proof PI_RGT_0.
  assert (c : 0 < cos (phi T)) by (apply cos_pos; lra).
  assert (cos (phi T) < cos (phi 0%nat)) by (apply cos_decreasing_1; lra).
  apply Rlt_gt, Rmult_lt_reg_r with (cos (phi T)); auto.
  replace (cos (phi 0%nat) / cos (phi T) * cos (phi T)) with (cos (phi 0%nat)) by (field; lra). lra.
Qed.

Theorem moran : forall (phi : nat -> R) (T : nat), (0 < T)%nat -> schedule phi T ->
  (phi T < PI / 2 ->
    (exists! lam, root phi T lam) /\
    tends_to (chain phi T) (cos (phi 0%nat) / cos (phi T)) /\ cos (phi 0%nat) / cos (phi T) > 1) /\
  (phi T = PI / 2 ->
    ((exists lam, root phi T lam) <-> cos (phi 0%nat) * tan (phi (pred T)) > 1) /\
    (forall a b, root phi T a -> root phi T b -> a = b) /\
    tends_to (chain phi T) (cos (phi 0%nat) * tan (phi (pred T)))).
Proof.
  intros phi T some sch. split.
  - intros inner. pose proof (limit_above_one phi T some sch inner) as above. split; [|split; auto].
    + destruct (level_reached phi T 1 sch inner) as [lam [pos one]].
      * split; [apply chain_one; auto | exact above].
      * exists lam. split; [split; lra|]. intros other [opos oone].
        apply (unique_below phi T some sch inner); lra.
    + intros eps pos. apply limit_exists; auto.
  - intros top. destruct T as [|n]; [lia|]. simpl pred. split; [|split].
    + apply at_exists; auto.
    + apply at_unique; auto.
    + apply at_tends_to; auto.
Qed.

(** The chain applied to a coordinate x along a direction of variance lam, the last step first. *)
Fixpoint run (step : nat -> R -> R) (T : nat) (x : R) : R :=
  match T with O => x | S k => run step k (step k x) end.

(** step k is affine with the slope f_t(lam), t = k + 1 *)
Definition along (phi : nat -> R) (T : nat) (lam : R) (step : nat -> R -> R) : Prop :=
  forall k x y, (k < T)%nat -> step k x - step k y = f (phi k) (phi (S k)) lam * (x - y).

Definition exponent (phi : nat -> R) (T : nat) (lam : R) : R :=
  total (fun k => ln (f (phi k) (phi (S k)) lam)) T.

Lemma run_slope phi T lam step : along phi T lam step ->
  forall x y, run step T x - run step T y = chain phi T lam * (x - y).
Proof.
  intros affine. induction T as [|T IH]; intros x y; unfold chain in *; simpl; [ring|].
  rewrite IH, affine by (auto; intros k a b less; apply affine; auto). ring.
Qed.

(** every factor is positive but for the one step from pi/2 to 0 *)
Definition invertible (phi : nat -> R) (T : nat) : Prop := 0 < phi (pred T) \/ phi T < PI / 2.

Lemma factors_pos phi T lam : (0 < T)%nat -> schedule phi T -> invertible phi T -> 0 < lam ->
  forall k, (k < T)%nat -> 0 < f (phi k) (phi (S k)) lam.
Proof.
  intros some sch inv pos k less. destruct (step_order phi T sch k less) as [order top]. apply f_pos; auto.
  destruct (Nat.eq_dec (S k) T) as [<-|other]; [unfold invertible in inv; simpl in inv; tauto|].
  left. apply (schedule_inner phi T); auto; lia.
Qed.

Theorem lyapunov_gaussian : forall (phi : nat -> R) (T : nat) (lam : R) (step : nat -> R -> R),
  (0 < T)%nat -> schedule phi T -> invertible phi T -> 0 < lam -> along phi T lam step ->
  (forall x y, x <> y -> ln (Rabs (run step T x - run step T y) / Rabs (x - y)) = exponent phi T lam) /\
  (forall least, root phi T least -> (exponent phi T lam > 0 <-> lam > least)) /\
  ((forall l, ~ root phi T l) -> ~ exponent phi T lam > 0).
Proof.
  intros phi T lam step some sch inv pos affine.
  pose proof (factors_pos phi T lam some sch inv pos) as factors.
  assert (c : 0 < chain phi T lam) by (apply prod_pos; auto).
  assert (e : exponent phi T lam = ln (chain phi T lam)) by (symmetry; apply ln_prod; auto).
  assert (sign : exponent phi T lam > 0 <-> 1 < chain phi T lam).
  { rewrite e, <- ln_1. split; intros; [apply ln_lt_inv; lra | apply Rlt_gt, ln_increasing; lra]. }
  split; [|split].
  - intros x y other. rewrite e. f_equal. rewrite (run_slope phi T lam step affine), Rabs_mult.
    rewrite (Rabs_right (chain _ _ _)) by lra. field. apply Rabs_no_R0. lra.
  - intros least [lpos one]. rewrite sign. split; intros less.
    + destruct (Rlt_or_le least lam) as [ok|small]; auto.
      pose proof (chain_le phi T lam least sch). lra.
    + assert (other : chain phi T lam <> chain phi T least).
      { intros same. rewrite one in same. destruct (moran phi T some sch) as [below at'].
        destruct (Rle_lt_or_eq_dec _ _ (proj2 (proj2 sch))) as [inner|top].
        - pose proof (unique_below phi T some sch inner lam least). lra.
        - destruct (at' top) as [_ [unique _]]. pose proof (unique lam least). unfold root in *. lra. }
      pose proof (chain_le phi T least lam sch). lra.
  - intros none. rewrite sign. intros above. destruct (moran phi T some sch) as [below at'].
    destruct (Rle_lt_or_eq_dec _ _ (proj2 (proj2 sch))) as [inner|top].
    + destruct (below inner) as [[l [r _]] _]. exact (none l r).
    + destruct (at' top) as [[_ found] [_ limit]]. apply (Rlt_irrefl 1).
      destruct (Rlt_or_le 1 (cos (phi 0%nat) * tan (phi (pred T)))) as [large|small].
      * destruct (found large) as [l r]. exfalso. exact (none l r).
      * set (L := cos (phi 0%nat) * tan (phi (pred T))) in *.
        destruct (limit (chain phi T lam - 1)) as [M [Mpos near]]; [lra|].
        set (big := Rmax lam (M + 1)). assert (lam <= big) by apply Rmax_l. assert (M + 1 <= big) by apply Rmax_r.
        specialize (near big ltac:(lra)). apply Rabs_def2 in near.
        pose proof (chain_le phi T lam big sch). lra.
Qed.
