(** Vectors of M patches of n coordinates, their norms, and maps in blocks.

      norm n u       ||u||_2 of a patch
      block_max x    max_k ||x_k||_2
      row_sum c      max_k sum_j c_kj, with c_kj = ||J_kj||_2
      kappa c        max_k c_kk
      delta c        max_k sum_{j <> k} c_kj *)

Require Import Reals Lra Lia PeanoNat.
Require Import Geometry.
Open Scope R_scope.

Definition patches := nat -> nat -> R. (* patch, coordinate *)
Definition blocks := nat -> nat -> nat -> nat -> R. (* row k, column j, coordinate in k, coordinate in j *)

Definition dot (n : nat) (u v : nat -> R) : R := total (fun i => u i * v i) n.
Definition norm (n : nat) (u : nat -> R) : R := sqrt (dot n u u).
Definition times (n : nat) (A : nat -> nat -> R) (v : nat -> R) (a : nat) : R := total (fun b => A a b * v b) n.
Definition image (M n : nat) (J : blocks) (w : patches) : patches :=
  fun k a => total (fun j => times n (J k j) (w j) a) M.

(** c = ||A||_2, the least bound *)
Definition is_norm (n : nat) (A : nat -> nat -> R) (c : R) : Prop :=
  (forall v, norm n (times n A v) <= c * norm n v) /\
  (forall other, 0 <= other -> (forall v, norm n (times n A v) <= other * norm n v) -> c <= other).

Fixpoint greatest (a : nat -> R) (M : nat) : R := match M with O => 0 | S k => Rmax (greatest a k) (a k) end.

Definition block_max (M n : nat) (x : patches) : R := greatest (fun k => norm n (x k)) M.
Definition row_sum (M : nat) (c : nat -> nat -> R) : R := greatest (fun k => total (c k) M) M.
Definition kappa (M : nat) (c : nat -> nat -> R) : R := greatest (fun k => c k k) M.
Definition delta (M : nat) (c : nat -> nat -> R) : R :=
  greatest (fun k => total (fun j => if j =? k then 0 else c k j) M) M.

(** norms *)

Lemma dot_self n u : 0 <= dot n u u.
Proof.
  unfold dot. induction n; simpl; [lra|]. pose proof (Rle_0_sqr (u n)) as S. unfold Rsqr in S. lra.
Qed.

Lemma norm_nonneg n u : 0 <= norm n u.
Proof. apply sqrt_pos. Qed.

Lemma norm_squared n u : norm n u * norm n u = dot n u u.
Proof. apply sqrt_sqrt, dot_self. Qed.

Lemma norm_ext n u v : (forall i, (i < n)%nat -> u i = v i) -> norm n u = norm n v.
Proof. intros same. unfold norm, dot. f_equal. apply total_ext. intros i less. rewrite (same i less). reflexivity. Qed.

Lemma cauchy_schwarz n u v : Rabs (dot n u v) <= norm n u * norm n v.
Proof.
  induction n as [|n IH].
  - unfold norm, dot. simpl. rewrite sqrt_0, Rabs_R0. lra.
  - assert (next : forall w, norm (S n) w * norm (S n) w = norm n w * norm n w + w n * w n).
    { intros w. rewrite !norm_squared. reflexivity. }
    change (dot (S n) u v) with (dot n u v + u n * v n).
    apply Rle_trans with (norm n u * norm n v + Rabs (u n) * Rabs (v n)).
    { apply Rle_trans with (1 := Rabs_triang _ _). rewrite Rabs_mult. lra. }
    pose proof (norm_nonneg n u). pose proof (norm_nonneg n v). pose proof (Rabs_pos (u n)). pose proof (Rabs_pos (v n)).
    apply Rsqr_incr_0; [|apply Rplus_le_le_0_compat; apply Rmult_le_pos; auto | apply Rmult_le_pos; apply norm_nonneg].
    unfold Rsqr. replace (norm (S n) u * norm (S n) v * (norm (S n) u * norm (S n) v))
      with (norm (S n) u * norm (S n) u * (norm (S n) v * norm (S n) v)) by ring.
    rewrite !next. rewrite <- (Rabs_right (u n * u n)), <- (Rabs_right (v n * v n)), !Rabs_mult by (apply Rle_ge, Rle_0_sqr).
    set (p := norm n u) in *. set (q := norm n v) in *. set (x := Rabs (u n)) in *. set (y := Rabs (v n)) in *.
    pose proof (Rle_0_sqr (p * y - q * x)) as S. unfold Rsqr in S. nra.
Qed.

Lemma norm_triangle n u v : norm n (fun i => u i + v i) <= norm n u + norm n v.
Proof.
  pose proof (norm_nonneg n u). pose proof (norm_nonneg n v).
  apply Rsqr_incr_0; [|apply norm_nonneg | lra]. unfold Rsqr. rewrite norm_squared.
  assert (e : dot n (fun i => u i + v i) (fun i => u i + v i) = dot n u u + 2 * dot n u v + dot n v v).
  { unfold dot. rewrite <- total_scale, <- !total_plus. apply total_ext. intros. ring. }
  rewrite e, <- !norm_squared. pose proof (cauchy_schwarz n u v). pose proof (Rle_abs (dot n u v)). lra.
Qed.

Lemma norm_total n (y : nat -> nat -> R) M : norm n (fun a => total (fun j => y j a) M) <= total (fun j => norm n (y j)) M.
Proof.
  induction M as [|M IH]; simpl.
  - replace (norm n (fun _ => 0)) with 0; [lra|]. symmetry. transitivity (sqrt 0); [|apply sqrt_0].
    unfold norm, dot. f_equal. transitivity (0 * total (fun _ => 0) n); [rewrite <- total_scale; reflexivity | ring].
  - apply Rle_trans with (1 := norm_triangle n _ _). lra.
Qed.

(** maxima *)

Lemma greatest_nonneg a M : 0 <= greatest a M.
Proof. induction M; simpl; [lra|]. apply Rle_trans with (1 := IHM), Rmax_l. Qed.

Lemma greatest_ge a M k : (k < M)%nat -> a k <= greatest a M.
Proof.
  induction M as [|M IH]; [lia|]. intros less. simpl. destruct (Nat.eq_dec k M) as [->|ne]; [apply Rmax_r|].
  apply Rle_trans with (greatest a M); [apply IH; lia | apply Rmax_l].
Qed.

Lemma greatest_le a M c : 0 <= c -> (forall k, (k < M)%nat -> a k <= c) -> greatest a M <= c.
Proof. intros pos le. induction M; simpl; auto. apply Rmax_lub; auto. Qed.

Lemma total_split (c : nat -> R) k M : (k < M)%nat -> total c M = c k + total (fun j => if j =? k then 0 else c j) M.
Proof.
  induction M as [|M IH]; [lia|]. intros less. simpl. destruct (Nat.eq_dec k M) as [->|ne].
  - rewrite Nat.eqb_refl. rewrite (total_ext (fun j => if j =? M then 0 else c j) c); [ring|].
    intros j l. destruct (Nat.eqb_spec j M); [lia | reflexivity].
  - rewrite IH by lia. destruct (Nat.eqb_spec M k); [lia | ring].
Qed.

Lemma norm_unit n j : (j < n)%nat -> norm n (fun i => if i =? j then 1 else 0) = 1.
Proof.
  intros less. transitivity (sqrt 1); [|apply sqrt_1]. unfold norm, dot. f_equal. rewrite (total_split _ j n less), Nat.eqb_refl.
  rewrite (total_ext _ (fun _ => 0 * 0)), total_scale; [ring|]. intros i _. destruct (i =? j); ring.
Qed.

Lemma is_norm_nonneg n A c : (0 < n)%nat -> is_norm n A c -> 0 <= c.
Proof.
  intros some [bound _]. set (e := fun i : nat => if i =? 0 then 1 else 0).
  assert (one : norm n e = 1) by (apply norm_unit; auto). specialize (bound e). rewrite one in bound. pose proof (norm_nonneg n (times n A e)). lra.
Qed.

Lemma image_bound M n J c w k : (0 < n)%nat -> (forall i j, (i < M)%nat -> (j < M)%nat -> is_norm n (J i j) (c i j)) -> (k < M)%nat ->
  norm n (image M n J w k) <= row_sum M c * block_max M n w.
Proof.
  intros some norms less. unfold image. apply Rle_trans with (1 := norm_total n (fun j => times n (J k j) (w j)) M).
  apply Rle_trans with (block_max M n w * total (c k) M).
  - rewrite <- total_scale. apply total_le. intros j less'. destruct (norms k j less less') as [bound least].
    apply Rle_trans with (1 := bound (w j)). rewrite Rmult_comm. apply Rmult_le_compat_r.
    + apply (is_norm_nonneg n (J k j)); auto.
    + apply (greatest_ge (fun i => norm n (w i))); auto.
  - rewrite Rmult_comm. apply Rmult_le_compat_r; [apply greatest_nonneg|]. apply (greatest_ge (fun i => total (c i) M)); auto.
Qed.

Lemma row_sum_le M c : row_sum M c <= kappa M c + delta M c.
Proof.
  apply greatest_le; [apply Rplus_le_le_0_compat; apply greatest_nonneg|]. intros k less.
  rewrite (total_split (c k) k M less). apply Rplus_le_compat.
  - apply (greatest_ge (fun i => c i i)); auto.
  - apply (greatest_ge (fun i => total (fun j => if j =? i then 0 else c i j) M)); auto.
Qed.
