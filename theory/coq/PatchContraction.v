(** patch-contraction: if sup_x (kappa + delta) < 1, a map contracts in the block-max norm; the induced norm is at most
    the row sum, with equality for 1 x 1 blocks; kappa + delta = 1.2 can contract. *)

Require Import Reals Lra Lia PeanoNat Bool FunctionalExtensionality.
Require Import Geometry Blocks.
Open Scope R_scope.

Definition move (x : patches) (h : R) (w : patches) : patches := fun k a => x k a + h * w k a.
Definition minus (z y : patches) : patches := fun k a => z k a - y k a.

Definition convex (D : patches -> Prop) : Prop :=
  forall y z s, D y -> D z -> 0 <= s <= 1 -> D (move y s (minus z y)).

(** J x is the derivative of F at x, along every direction *)
Definition jacobian (M n : nat) (F : patches -> patches) (J : patches -> blocks) (D : patches -> Prop) : Prop :=
  forall x w k a, D x -> (k < M)%nat -> (a < n)%nat ->
  derivable_pt_lim (fun h => F (move x h w) k a) 0 (image M n (J x) w k a).

(** c x k j = ||J_kj(x)||_2 *)
Definition norms_of (M n : nat) (J : patches -> blocks) (c : patches -> nat -> nat -> R) (D : patches -> Prop) : Prop :=
  forall x i j, D x -> (i < M)%nat -> (j < M)%nat -> is_norm n (J x i j) (c x i j).

Lemma derivative_of_total (G : nat -> R -> R) (u l : nat -> R) s n :
  (forall a, (a < n)%nat -> derivable_pt_lim (G a) s (l a)) ->
  derivable_pt_lim (fun t => total (fun a => u a * G a t) n) s (total (fun a => u a * l a) n).
Proof.
  induction n as [|n IH]; simpl; intros slopes; [apply derivable_pt_lim_const|].
  apply (derivable_pt_lim_plus (fun t => total (fun a => u a * G a t) n) (fun t => u n * G n t)); [apply IH; auto|].
  apply (derivable_pt_lim_scal (G n)). auto.
Qed.

Lemma along_segment (F : patches -> patches) y w k a s l : derivable_pt_lim (fun h => F (move (move y s w) h w) k a) 0 l ->
  derivable_pt_lim (fun t => F (move y t w) k a) s l.
Proof.
  intros D eps pos. destruct (D eps pos) as [d near]. exists d. intros h h0 small. specialize (near h h0 small).
  assert (e : forall g, move (move y s w) g w = move y (s + g) w).
  { intros g. apply functional_extensionality. intros i. apply functional_extensionality. intros j. unfold move. ring. }
  rewrite !e in near. rewrite Rplus_0_l, Rplus_0_r in near. exact near.
Qed.

Lemma lipschitz M n F J c D q : (0 < n)%nat -> convex D -> jacobian M n F J D -> norms_of M n J c D ->
  (forall x, D x -> row_sum M (c x) <= q) ->
  forall y z, D y -> D z -> block_max M n (minus (F z) (F y)) <= q * block_max M n (minus z y).
Proof.
  intros some conv jac norms sup y z Dy Dz. set (w := minus z y).
  assert (q0 : 0 <= q) by (apply Rle_trans with (row_sum M (c y)); [apply greatest_nonneg | auto]).
  assert (b0 : 0 <= block_max M n w) by apply greatest_nonneg.
  apply greatest_le; [apply Rmult_le_pos; auto|]. intros k less.
  set (u := minus (F z) (F y) k).
  set (G := fun t => total (fun a => u a * F (move y t w) k a) n).
  set (G' := fun t => total (fun a => u a * image M n (J (move y t w)) w k a) n).
  destruct (MVT_cor2 G G' 0 1) as [s [e range]]; [lra | |].
  { intros t within. apply (derivative_of_total (fun a t => F (move y t w) k a)). intros a la.
    apply along_segment, jac; auto. apply conv; auto. }
  assert (ends : G 1 - G 0 = dot n u u).
  { unfold G, dot. replace (move y 1 w) with z.
    2: { apply functional_extensionality. intros i. apply functional_extensionality. intros j. unfold w, move, minus. ring. }
    replace (move y 0 w) with y.
    2: { apply functional_extensionality. intros i. apply functional_extensionality. intros j. unfold w, move, minus. ring. }
    replace (total (fun a => u a * F z k a) n - total (fun a => u a * F y k a) n)
      with (total (fun a => u a * F z k a) n + (-1) * total (fun a => u a * F y k a) n) by ring.
    rewrite <- total_scale, <- total_plus. apply total_ext. intros a la. unfold u, minus. ring. }
  rewrite ends, Rminus_0_r, Rmult_1_r in e.
  assert (Dx : D (move y s w)) by (apply conv; auto; lra).
  assert (bound : norm n (image M n (J (move y s w)) w k) <= q * block_max M n w).
  { apply Rle_trans with (row_sum M (c (move y s w)) * block_max M n w).
    - apply image_bound; auto.
    - apply Rmult_le_compat_r; auto. }
  assert (cs : dot n u u <= norm n u * norm n (image M n (J (move y s w)) w k)).
  { rewrite e. apply Rle_trans with (1 := Rle_abs _). apply cauchy_schwarz. }
  rewrite <- norm_squared in cs. pose proof (norm_nonneg n u) as nu. fold u.
  destruct (Rle_lt_or_eq_dec 0 (norm n u) nu) as [pos|zero].
  - apply Rle_trans with (norm n (image M n (J (move y s w)) w k)); auto. apply Rmult_le_reg_l with (norm n u); auto.
  - rewrite <- zero. apply Rmult_le_pos; auto.
Qed.

(** 1 x 1 blocks *)

Lemma norm_one u : norm 1 u = Rabs (u 0%nat).
Proof. unfold norm, dot. simpl. rewrite Rplus_0_l. apply sqrt_Rsqr_abs. Qed.

Definition signs (J : blocks) (k : nat) : patches := fun j _ => if Rle_dec 0 (J k j 0%nat 0%nat) then 1 else -1.

Lemma attained (M : nat) (J : blocks) : (0 < M)%nat ->
  exists w, block_max M 1 w = 1 /\
  block_max M 1 (image M 1 J w) = row_sum M (fun k j => Rabs (J k j 0%nat 0%nat)).
Proof.
  intros some.
  assert (unit : forall k, block_max M 1 (signs J k) = 1).
  { intros k. apply Rle_antisym.
    - apply greatest_le; [lra|]. intros j less. rewrite norm_one. unfold signs. destruct (Rle_dec _ _).
      + rewrite Rabs_R1. lra.
      + rewrite Rabs_left by lra. lra.
    - apply Rle_trans with (norm 1 (signs J k 0%nat)).
      + rewrite norm_one. unfold signs. destruct (Rle_dec _ _); [rewrite Rabs_R1 | rewrite Rabs_left by lra]; lra.
      + apply (greatest_ge (fun j => norm 1 (signs J k j))). auto. }
  assert (row : forall k, image M 1 J (signs J k) k 0%nat = total (fun j => Rabs (J k j 0%nat 0%nat)) M).
  { intros k. unfold image, times. apply total_ext. intros j less. simpl. unfold signs.
    destruct (Rle_dec _ _) as [p|p]; [rewrite Rabs_right by lra | rewrite Rabs_left by lra]; ring. }
  assert (upper : forall w, block_max M 1 w = 1 ->
    block_max M 1 (image M 1 J w) <= row_sum M (fun k j => Rabs (J k j 0%nat 0%nat))).
  { intros w one. apply greatest_le; [apply greatest_nonneg|]. intros k less. rewrite <- (Rmult_1_r (row_sum _ _)), <- one.
    apply image_bound; auto. intros i j _ _. split.
    - intros v. rewrite !norm_one. unfold times. simpl. rewrite Rplus_0_l, Rabs_mult. lra.
    - intros other _ bound. specialize (bound (fun _ => 1)). rewrite !norm_one in bound. unfold times in bound. simpl in bound.
      rewrite Rplus_0_l, !Rmult_1_r, Rabs_R1 in bound. lra. }
  assert (best : exists k, (k < M)%nat /\ row_sum M (fun k j => Rabs (J k j 0%nat 0%nat)) <= total (fun j => Rabs (J k j 0%nat 0%nat)) M).
  { set (a := fun k => total (fun j => Rabs (J k j 0%nat 0%nat)) M).
    change (exists k, (k < M)%nat /\ greatest a M <= a k).
    assert (pos : forall k, 0 <= a k).
    { intros k. unfold a. rewrite <- (Rmult_0_l (total (fun _ => 0) M)), <- total_scale. apply total_le. intros.
      rewrite Rmult_0_l. apply Rabs_pos. }
    clearbody a. clear - some pos. destruct M as [|M]; [lia|]. clear some. induction M as [|M [k [less le]]].
    - exists 0%nat. split; auto. simpl. apply Rmax_lub; [apply pos | lra].
    - destruct (Rle_or_lt (a k) (a (S M))) as [big|small].
      + exists (S M). split; auto. apply Rmax_lub; [exact (Rle_trans _ _ _ le big) | apply Rle_refl].
      + exists k. split; [lia|]. apply Rmax_lub; [exact le | left; exact small]. }
  destruct best as [k [less le]]. exists (signs J k). split; auto. apply Rle_antisym; [apply upper; auto|].
  apply Rle_trans with (1 := le). rewrite <- row. apply Rle_trans with (1 := Rle_abs _). rewrite <- norm_one.
  apply (greatest_ge (fun i => norm 1 (image M 1 J (signs J k) i))). auto.
Qed.

(** two patches of two coordinates whose blocks stretch orthogonal directions *)

Definition orthogonal : blocks := fun k j a b =>
  if ((k =? 0) && (a =? b) && (j =? a))%bool then 3 / 5 else 0.

Lemma strict : 
  (forall c, (forall k j, (k < 2)%nat -> (j < 2)%nat -> is_norm 2 (orthogonal k j) (c k j)) -> kappa 2 c + delta 2 c = 6 / 5) /\
  (forall w, block_max 2 2 (image 2 2 orthogonal w) <= 9 / 10 * block_max 2 2 w).
Proof.
  assert (square : forall u, norm 2 u * norm 2 u = u 0%nat * u 0%nat + u 1%nat * u 1%nat).
  { intros u. rewrite norm_squared. unfold dot. simpl. ring. }
  split.
  - intros c norms.
    assert (first : forall j, (j < 2)%nat -> c 0%nat j = 3 / 5).
    { intros j less. destruct (norms 0%nat j) as [bound least]; auto. apply Rle_antisym.
      - apply least; [lra|]. intros v. pose proof (norm_nonneg 2 v). pose proof (norm_nonneg 2 (times 2 (orthogonal 0%nat j) v)).
        apply Rsqr_incr_0; auto; [|lra]. unfold Rsqr. rewrite square.
        replace (3 / 5 * norm 2 v * (3 / 5 * norm 2 v)) with (9 / 25 * (norm 2 v * norm 2 v)) by field. rewrite square.
        pose proof (Rle_0_sqr (v 0%nat)). pose proof (Rle_0_sqr (v 1%nat)). unfold Rsqr in *.
        destruct j as [|[|j]]; [| |lia]; unfold times, orthogonal; simpl; nra.
      - set (e := fun i : nat => if i =? j then 1 else 0). specialize (bound e).
        assert (one : norm 2 e = 1) by (apply norm_unit; auto).
        assert (im : norm 2 (times 2 (orthogonal 0%nat j) e) = 3 / 5).
        { unfold norm. replace (dot 2 _ _) with (3 / 5 * (3 / 5)); [apply sqrt_square; lra|]. unfold dot, times, orthogonal, e.
          destruct j as [|[|j]]; [| |lia]; simpl; ring. }
        rewrite one, im in bound. lra. }
    assert (second : forall j, (j < 2)%nat -> c 1%nat j = 0).
    { intros j less. pose proof (norms 1%nat j) as N. apply Rle_antisym.
      - apply N; auto; [lra|]. intros v. rewrite Rmult_0_l. unfold norm, dot, times, orthogonal. simpl.
        right. match goal with |- sqrt ?x = 0 => replace x with 0 by ring end. apply sqrt_0.
      - apply (is_norm_nonneg 2 (orthogonal 1%nat j)); auto. }
    unfold kappa, delta. simpl. rewrite (first 0%nat), (first 1%nat), (second 0%nat), (second 1%nat) by lia.
    rewrite (Rmax_right 0 (3 / 5)), (Rmax_left (3 / 5) 0), (Rmax_right 0 (0 + 0 + 3 / 5)), (Rmax_left _ (0 + 0 + 0)) by lra. lra.
  - intros w. set (b := block_max 2 2 w). assert (b0 : 0 <= b) by apply greatest_nonneg.
    assert (le : forall j, (j < 2)%nat -> norm 2 (w j) <= b) by (intros; apply (greatest_ge (fun i => norm 2 (w i))); auto).
    assert (sq : forall j, (j < 2)%nat -> w j 0%nat * w j 0%nat + w j 1%nat * w j 1%nat <= b * b).
    { intros j less. rewrite <- square. pose proof (norm_nonneg 2 (w j)). specialize (le j less). apply Rmult_le_compat; auto. }
    apply greatest_le; [lra|]. intros k less. apply Rsqr_incr_0; [|apply norm_nonneg | lra]. unfold Rsqr. rewrite square.
    pose proof (sq 0%nat ltac:(lia)). pose proof (sq 1%nat ltac:(lia)).
    pose proof (Rle_0_sqr (w 0%nat 1%nat)). pose proof (Rle_0_sqr (w 1%nat 0%nat)). unfold Rsqr in *.
    destruct k as [|[|k]]; [| |lia]; unfold image, times, orthogonal; simpl; nra.
Qed.

Theorem patch_contraction :
  (forall M n F J c D q, (0 < n)%nat -> convex D -> jacobian M n F J D -> norms_of M n J c D ->
    (forall x, D x -> kappa M (c x) + delta M (c x) <= q) ->
    (forall x, D x -> row_sum M (c x) <= kappa M (c x) + delta M (c x)) /\
    forall y z, D y -> D z -> block_max M n (minus (F z) (F y)) <= q * block_max M n (minus z y)) /\
  (forall M n J c w, (0 < n)%nat -> (forall i j, (i < M)%nat -> (j < M)%nat -> is_norm n (J i j) (c i j)) ->
    block_max M n (image M n J w) <= row_sum M c * block_max M n w) /\
  (forall M J, (0 < M)%nat -> exists w, block_max M 1 w = 1 /\
    block_max M 1 (image M 1 J w) = row_sum M (fun k j => Rabs (J k j 0%nat 0%nat))) /\
  ((forall c, (forall k j, (k < 2)%nat -> (j < 2)%nat -> is_norm 2 (orthogonal k j) (c k j)) -> kappa 2 c + delta 2 c = 6 / 5) /\
   (forall w, block_max 2 2 (image 2 2 orthogonal w) <= 9 / 10 * block_max 2 2 w)).
Proof.
  split; [|split; [|split; [exact attained | exact strict]]].
  - intros M n F J c D q some conv jac norms sup. split; [intros; apply row_sum_le|].
    apply (lipschitz M n F J c D q some conv jac norms). intros x Dx. apply Rle_trans with (2 := sup x Dx), row_sum_le.
  - intros M n J c w some norms. apply greatest_le.
    + apply Rmult_le_pos; apply greatest_nonneg.
    + intros k less. apply image_bound; auto.
Qed.
