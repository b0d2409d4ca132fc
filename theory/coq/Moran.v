(** moran: prod_t f_t(lam) = 1 has exactly one root if phi_T < pi/2; at pi/2 iff cos phi_0 tan phi_{T-1} > 1.
    moran-above-one: every root exceeds 1. lyapunov-gaussian: sum_t ln f_t(lam) > 0 iff lam > lam**.

    Every factor increases with lam, the product is below 1 at lam = 1, and continuous in mu = 1/lam down to mu = 0. *)

Require Import Reals Ranalysis5 Lra Lia.
Require Import Geometry.
Open Scope R_scope.

Lemma prod_lt a b T : (0 < T)%nat -> (forall k, (k < T)%nat -> 0 <= a k < b k) -> prod a T < prod b T.
Proof.
  intros some less. destruct T as [|T]; [lia|]. simpl. clear some.
  destruct (less T) as [low high]; auto.
  assert (0 <= prod a T <= prod b T) by (apply prod_le; intros k K; destruct (less k); auto; lra).
  assert (0 < prod b T) by (apply prod_pos; intros k K; destruct (less k); auto; lra).
  apply Rle_lt_trans with (prod b T * a T); [apply Rmult_le_compat_r; lra | apply Rmult_lt_compat_l; lra].
Qed.

(** one step *)

Section Step.
Variables s t : R.
Hypothesis order : 0 <= s < t.
Hypothesis top : t <= PI / 2.

Lemma f_nonneg lam : 0 <= lam -> 0 <= f s t lam.
Proof.
  intros pos. unfold f. apply Rmult_le_pos; [|left; apply Rinv_0_lt_compat, N_pos_from_zero; lra].
  apply Rplus_le_le_0_compat; repeat apply Rmult_le_pos; auto; try apply cos_nonneg; try apply sin_nonneg; lra.
Qed.

Lemma f_pos lam : 0 < lam -> t < PI / 2 \/ 0 < s -> 0 < f s t lam.
Proof.
  intros pos inner. unfold f. apply Rmult_lt_0_compat; [|apply Rinv_0_lt_compat, N_pos_from_zero; lra].
  assert (0 < cos s) by (apply cos_pos; lra). assert (0 < sin t) by (apply sin_pos; lra).
  assert (0 <= cos t) by (apply cos_nonneg; lra). assert (0 <= sin s) by (apply sin_nonneg; lra).
  destruct inner as [inner|inner].
  - assert (0 < cos t) by (apply cos_pos; lra).
    apply Rplus_lt_le_0_compat; [repeat apply Rmult_lt_0_compat; auto | apply Rmult_le_pos; lra].
  - assert (0 < sin s) by (apply sin_pos; lra).
    apply Rplus_le_lt_0_compat; [repeat apply Rmult_le_pos; lra | apply Rmult_lt_0_compat; auto].
Qed.

Lemma f_difference a b : 0 <= a -> 0 <= b ->
  f s t b - f s t a = (b - a) * (sin t * cos t * sin (t - s)) / (N a t * N b t).
Proof.
  intros pa pb. assert (na : 0 < N a t) by (apply N_pos_from_zero; lra).
  assert (nb : 0 < N b t) by (apply N_pos_from_zero; lra).
  unfold f. rewrite sin_minus. unfold N in *. field. lra.
Qed.

Lemma sin_step : 0 < sin (t - s).
Proof. apply sin_pos. lra. Qed.

Lemma f_le a b : 0 <= a <= b -> f s t a <= f s t b.
Proof.
  intros le. assert (0 <= f s t b - f s t a); [|lra]. rewrite f_difference by lra.
  pose proof sin_step. assert (0 <= cos t) by (apply cos_nonneg; lra). assert (0 < sin t) by (apply sin_pos; lra).
  apply Rmult_le_pos.
  - repeat apply Rmult_le_pos; lra.
  - left. apply Rinv_0_lt_compat, Rmult_lt_0_compat; apply N_pos_from_zero; lra.
Qed.

Lemma f_lt a b : t < PI / 2 -> 0 <= a < b -> f s t a < f s t b.
Proof.
  intros inner lt. assert (0 < f s t b - f s t a); [|lra]. rewrite f_difference by lra.
  pose proof sin_step. assert (0 < cos t) by (apply cos_pos; lra). assert (0 < sin t) by (apply sin_pos; lra).
  apply Rmult_lt_0_compat.
  - repeat apply Rmult_lt_0_compat; lra.
  - apply Rinv_0_lt_compat, Rmult_lt_0_compat; apply N_pos_from_zero; lra.
Qed.

Lemma f_below_limit lam : t < PI / 2 -> 0 <= lam -> f s t lam < cos s / cos t.
Proof.
  intros inner pos. assert (n : 0 < N lam t) by (apply N_pos_from_zero; lra).
  assert (c : 0 < cos t) by (apply cos_pos; lra). rewrite f_is_diagonal_expansion by lra.
  assert (0 < sin (t - s) / cos t * sin t / N lam t); [|lra].
  pose proof sin_step. assert (0 < sin t) by (apply sin_pos; lra).
  repeat apply Rmult_lt_0_compat; auto using Rinv_0_lt_compat.
Qed.

Lemma f_one : 0 <= f s t 1 < 1.
Proof.
  split; [apply f_nonneg; lra|]. rewrite f_at_one. rewrite <- cos_0. pose proof PI_RGT_0.
  apply cos_decreasing_1; lra.
Qed.
End Step.

(** chains *)

Section Chain.
Variable phi : nat -> R.

Lemma step_order T : schedule phi T -> forall k, (k < T)%nat -> 0 <= phi k < phi (S k) /\ phi (S k) <= PI / 2.
Proof.
  intros sch k less. pose proof (schedule_within phi T sch) as W. repeat split.
  - apply W. lia.
  - apply sch. auto.
  - apply W. lia.
Qed.

Lemma chain_le T a b : schedule phi T -> 0 <= a <= b -> 0 <= chain phi T a <= chain phi T b.
Proof.
  intros sch le. apply prod_le. intros k less. destruct (step_order T sch k less).
  split; [apply f_nonneg | apply f_le]; auto; lra.
Qed.

Lemma chain_one T : (0 < T)%nat -> schedule phi T -> chain phi T 1 < 1.
Proof.
  intros some sch. apply Rlt_le_trans with (prod (fun _ => 1) T); [|rewrite prod_const, pow1; lra]. apply prod_lt; auto.
  intros k less. destruct (step_order T sch k less). apply f_one; auto.
Qed.

Theorem moran_above_one T lam : (0 < T)%nat -> schedule phi T -> 0 <= lam -> chain phi T lam = 1 -> 1 < lam.
Proof.
  intros some sch pos root. destruct (Rlt_or_le 1 lam) as [ok|small]; auto.
  pose proof (chain_one T some sch). pose proof (chain_le T lam 1 sch (conj pos small)). lra.
Qed.

Lemma inner_step T : schedule phi T -> phi T < PI / 2 -> forall k, (k < T)%nat -> phi (S k) < PI / 2.
Proof.
  intros sch inner k less. destruct (Nat.eq_dec (S k) T) as [<-|other]; auto.
  apply (schedule_inner phi T); auto; lia.
Qed.

Lemma chain_lt T a b : (0 < T)%nat -> schedule phi T -> phi T < PI / 2 -> 0 <= a < b ->
  chain phi T a < chain phi T b.
Proof.
  intros some sch inner lt. apply prod_lt; auto. intros k less. destruct (step_order T sch k less).
  pose proof (inner_step T sch inner k less). split; [apply f_nonneg | apply f_lt]; auto; lra.
Qed.

Lemma limit_product T : schedule phi T -> phi T < PI / 2 ->
  prod (fun k => cos (phi k) / cos (phi (S k))) T = cos (phi 0%nat) / cos (phi T).
Proof.
  intros sch inner.
  assert (c : forall k, (k <= T)%nat -> 0 < cos (phi k)).
  { intros k le. apply cos_pos. split; [apply (schedule_within phi T); auto|].
    apply Rle_lt_trans with (phi T); auto. destruct (Nat.eq_dec k T) as [->|]; [lra|].
    left. apply (schedule_order phi T); auto; lia. }
  clear inner sch. induction T as [|T IH]; simpl.
  - specialize (c 0%nat (le_n _)). field. lra.
  - rewrite IH by (intros; apply c; lia). pose proof (c T). pose proof (c (S T)). field. split; apply Rgt_not_eq, c; lia.
Qed.

Lemma chain_below_limit T lam : (0 < T)%nat -> schedule phi T -> phi T < PI / 2 -> 0 <= lam ->
  chain phi T lam < cos (phi 0%nat) / cos (phi T).
Proof.
  intros some sch inner pos. rewrite <- limit_product by auto. apply prod_lt; auto. intros k less.
  destruct (step_order T sch k less). pose proof (inner_step T sch inner k less).
  split; [apply f_nonneg | apply f_below_limit]; auto.
Qed.

(** in mu = 1/lam *)

Definition g (s t mu : R) : R := (cos s * cos t + mu * (sin s * sin t)) / (cos t * cos t + mu * (sin t * sin t)).

Lemma g_is_f s t lam : 0 < lam -> f s t lam = g s t (/ lam).
Proof.
  intros pos. pose proof (N_pos lam t pos) as n. unfold f, g, N in *. field. split; lra.
Qed.

Lemma g_continuous s t mu : 0 < cos t -> 0 <= mu -> continuity_pt (g s t) mu.
Proof.
  intros c pos. unfold g. apply continuity_pt_div; [reg | reg |].
  pose proof (Rle_0_sqr (sin t)) as S; unfold Rsqr in S.
  assert (0 < cos t * cos t) by (apply Rmult_lt_0_compat; auto).
  assert (0 <= mu * (sin t * sin t)) by (apply Rmult_le_pos; auto). lra.
Qed.

Definition growth (T : nat) (mu : R) : R := prod (fun k => g (phi k) (phi (S k)) mu) T.

Lemma growth_is_chain T lam : 0 < lam -> chain phi T lam = growth T (/ lam).
Proof. intros pos. apply prod_ext. intros. apply g_is_f. auto. Qed.

Lemma growth_continuous T mu : schedule phi T -> phi T < PI / 2 -> 0 <= mu -> continuity_pt (growth T) mu.
Proof.
  intros sch inner pos.
  assert (c : forall k, (k < T)%nat -> 0 < cos (phi (S k))).
  { intros k less. destruct (step_order T sch k less). pose proof (inner_step T sch inner k less). apply cos_pos. lra. }
  clear inner sch. unfold growth. induction T as [|T IH]; simpl.
  - apply continuity_pt_const. intros x y. reflexivity.
  - apply (continuity_pt_mult (fun mu => prod (fun k => g (phi k) (phi (S k)) mu) T)).
    + apply IH. intros. apply c. lia.
    + apply g_continuous; auto.
Qed.

Lemma growth_zero T : schedule phi T -> phi T < PI / 2 -> growth T 0 = cos (phi 0%nat) / cos (phi T).
Proof.
  intros sch inner. rewrite <- limit_product by auto. apply prod_ext. intros k less.
  destruct (step_order T sch k less). pose proof (inner_step T sch inner k less).
  assert (0 < cos (phi (S k))) by (apply cos_pos; lra). unfold g. field. lra.
Qed.

Lemma limit_exists T eps : schedule phi T -> phi T < PI / 2 -> 0 < eps ->
  exists M, 0 < M /\ forall lam, M < lam -> Rabs (chain phi T lam - cos (phi 0%nat) / cos (phi T)) < eps.
Proof.
  intros sch inner pos. destruct (growth_continuous T 0 sch inner (Rle_refl 0) eps pos) as [a [apos near]].
  exists (/ a). split; [apply Rinv_0_lt_compat; auto|]. intros lam big.
  assert (l : 0 < lam) by (apply Rlt_trans with (/ a); auto; apply Rinv_0_lt_compat; auto).
  assert (i : 0 < / lam) by (apply Rinv_0_lt_compat; auto).
  rewrite growth_is_chain, <- growth_zero by auto. apply near. split.
  - split; [exact I|]. lra.
  - unfold dist. simpl. unfold R_dist. rewrite Rminus_0_r, Rabs_right by lra.
    apply Rlt_le_trans with (/ / a); [|rewrite Rinv_inv; lra].
    apply Rinv_lt_contravar; auto. apply Rmult_lt_0_compat; auto. apply Rinv_0_lt_compat; auto.
Qed.

Lemma level_reached T y : schedule phi T -> phi T < PI / 2 ->
  chain phi T 1 < y < cos (phi 0%nat) / cos (phi T) -> exists lam, 0 < lam /\ chain phi T lam = y.
Proof.
  intros sch inner between.
  destruct (IVT_interv (fun mu => y - growth T mu) 0 1) as [z [range zero]].
  - intros mu within. apply continuity_pt_minus; [apply continuity_pt_const; intros a b; reflexivity|].
    apply growth_continuous; auto. lra.
  - lra.
  - rewrite growth_zero by auto. lra.
  - rewrite growth_is_chain, Rinv_1 in between by lra. lra.
  - assert (z <> 0). { intros ->. rewrite growth_zero in zero by auto. lra. }
    exists (/ z). split; [apply Rinv_0_lt_compat; lra|].
    rewrite growth_is_chain, Rinv_inv by (apply Rinv_0_lt_compat; lra). lra.
Qed.
End Chain.
