(** moran-above-one, to leading order: with e = lam** - 1, V = v_T - v_0, S = sum_t Delta_t^2 and steps at most h,
      (1 - h^2/12) S <= e (1 + e) V   and   e V (1 - h/(cos phi_0 + cos phi_T)) cos h <= (1 + e) S,
    so e V/S tends to 1 as h -> 0 between fixed end points. *)

Require Import Reals Lra Lia.
Require Import Geometry Moran MoranRoot Cosines Minimum.
Open Scope R_scope.

Definition length (phi : nat -> R) (T : nat) : R := total (fun k => (phi (S k) - phi k) * (phi (S k) - phi k)) T.
Definition rise (phi : nat -> R) (T : nat) : R := sin (phi T) * sin (phi T) - sin (phi 0%nat) * sin (phi 0%nat).

(** 1 - cos d between d^2/2 (1 - d^2/12) and d^2/2 *)
Lemma cosine_bounds d : 0 <= d <= PI / 2 -> (1 - d * d / 12) * (d * d) <= 2 * (1 - cos d) <= d * d.
Proof.
  intros range. pose proof PI_RGT_0.
  destruct (cos_bound d 0) as [low _]; try lra. destruct (cos_bound d 0) as [_ high]; try lra.
  unfold cos_approx, cos_term in *. simpl in *.
  assert (e1 : cos d >= 1 - d * d / 2) by lra.
  assert (e2 : cos d <= 1 - d * d / 2 + d * d * (d * d) / 24) by lra.
  split; lra.
Qed.

Lemma prod_factors a T : (forall k, (k < T)%nat -> 0 <= a k) -> prod a T <> 0 -> forall k, (k < T)%nat -> 0 < a k.
Proof.
  induction T as [|T IH]; simpl; intros nonneg some k less; [lia|].
  destruct (Nat.eq_dec k T) as [->|ne].
  - destruct (Rle_lt_or_eq_dec 0 (a T)) as [ok|zero]; auto. exfalso. apply some. rewrite <- zero. ring.
  - apply IH; auto; [|lia]. intros zero. apply some. rewrite zero. ring.
Qed.

Lemma sine_below x : 0 <= x -> sin x <= x.
Proof. intros pos. destruct (Rle_lt_or_eq_dec 0 x pos) as [p|<-]; [left; apply sin_lt_x; auto | rewrite sin_0; lra]. Qed.

Lemma cosine_difference s t : 0 <= s < t -> t <= PI / 2 -> 0 <= cos s - cos t <= t - s.
Proof.
  intros order top. pose proof PI_RGT_0. pose proof (form2 s t) as F.
  replace ((s - t) / 2) with (- ((t - s) / 2)) in F by field. rewrite sin_neg in F.
  assert (a : 0 <= sin ((s + t) / 2) <= 1) by (split; [apply sin_nonneg; lra | apply SIN_bound]).
  assert (b : 0 <= sin ((t - s) / 2)) by (apply sin_nonneg; lra).
  pose proof (sine_below ((t - s) / 2) ltac:(lra)) as c. split; nra.
Qed.

Section Root.
Variables (phi : nat -> R) (T : nat) (lam h : R).
Hypothesis some : (0 < T)%nat.
Hypothesis sch : schedule phi T.
Hypothesis solution : root phi T lam.
Hypothesis small : h < PI / 2.
Hypothesis mesh : forall k, (k < T)%nat -> phi (S k) - phi k <= h.

Let e := lam - 1.
Let c k := cos (phi k).
Let A k := c (S k) * (c k - c (S k)).
Let D k := 1 - cos (phi (S k) - phi k).
Let F k := f (phi k) (phi (S k)) lam.

Lemma excess_pos : 0 < e.
Proof. unfold e. destruct solution. pose proof (moran_above_one phi T lam). lra || (assert (1 < lam) by auto; lra). Qed.

Lemma cosines k : (k < T)%nat -> 0 <= c (S k) <= 1 /\ 0 < c k <= 1 /\ 0 <= c k - c (S k) <= phi (S k) - phi k.
Proof.
  intros less. destruct (step_order phi T sch k less) as [order top]. unfold c. split; [|split].
  - split; [apply cos_nonneg; lra | apply COS_bound].
  - split; [apply cos_pos; lra | apply COS_bound].
  - apply cosine_difference; lra.
Qed.

Lemma turn k : (k < T)%nat -> 0 <= D k /\ cos h <= cos (phi (S k) - phi k) <= 1 /\ 0 < cos h /\
  (1 - h * h / 12) * ((phi (S k) - phi k) * (phi (S k) - phi k)) <= 2 * D k <= (phi (S k) - phi k) * (phi (S k) - phi k).
Proof.
  intros less. destruct (step_order phi T sch k less) as [order top]. pose proof (mesh k less) as m. pose proof PI_RGT_0.
  pose proof (cosine_bounds (phi (S k) - phi k) ltac:(lra)) as [low high].
  pose proof (COS_bound (phi (S k) - phi k)). unfold D. split; [lra|split; [split; [|lra]|split; [apply cos_pos; lra|split; [|lra]]]].
  - destruct (Req_dec h (phi (S k) - phi k)) as [->|ne]; [lra|]. left. apply cos_decreasing_1; lra.
  - set (d := phi (S k) - phi k) in *. assert (0 <= d) by (unfold d; lra).
    assert (d * d <= h * h) by (apply Rmult_le_compat; lra). pose proof (Rle_0_sqr d). unfold Rsqr in *. nra.
Qed.

Lemma factor k : (k < T)%nat -> 0 < 1 + e * (c (S k) * c (S k)) <= 1 + e /\
  F k * (1 + e * (c (S k) * c (S k))) = cos (phi (S k) - phi k) + e * (c k * c (S k)) /\
  (F k - 1) * (1 + e * (c (S k) * c (S k))) = e * A k - D k.
Proof.
  intros less. destruct (cosines k less) as [c1 [c0 _]]. pose proof excess_pos as p.
  assert (n : N lam (phi (S k)) = 1 + e * (c (S k) * c (S k))).
  { unfold N, e, c. pose proof (unit_circle (phi (S k))) as U. nra. }
  assert (q : 0 <= c (S k) * c (S k) <= 1) by nra.
  assert (pos : 0 < 1 + e * (c (S k) * c (S k)) <= 1 + e) by nra.
  assert (prodF : F k * (1 + e * (c (S k) * c (S k))) = cos (phi (S k) - phi k) + e * (c k * c (S k))).
  { rewrite <- n. unfold F, f. rewrite cos_minus. unfold e, c. field. lra. }
  split; [exact pos|split; [exact prodF|]]. rewrite Rmult_minus_distr_r, prodF. unfold A, D. ring.
Qed.

Lemma sum_of_logs : total (fun k => ln (F k)) T = 0 /\ forall k, (k < T)%nat -> 0 < F k.
Proof.
  destruct solution as [pos one].
  assert (all : forall k, (k < T)%nat -> 0 < F k).
  { apply prod_factors.
    - intros k less. destruct (step_order phi T sch k less). apply f_nonneg; auto.
    - change (chain phi T lam <> 0). lra. }
  split; auto. rewrite <- ln_prod by auto. change (ln (chain phi T lam) = 0). rewrite one. apply ln_1.
Qed.

Lemma lower_sum : total D T <= e * (1 + e) * total A T.
Proof.
  destruct sum_of_logs as [zero all]. pose proof excess_pos as p.
  assert (le : total (fun k => ln (F k)) T <= total (fun k => e * A k + (- / (1 + e)) * D k) T).
  { apply total_le. intros k less. apply Rle_trans with (1 := ln_le (F k) (all k less)).
    destruct (factor k less) as [pos [_ diff]]. destruct (cosines k less) as [c1 [c0 cd]]. destruct (turn k less) as [d0 _].
    set (n := 1 + e * (c (S k) * c (S k))) in *. assert (1 <= n) by (unfold n; nra).
    assert (a0 : 0 <= A k) by (unfold A; apply Rmult_le_pos; lra).
    assert (split : F k - 1 = e * A k * / n + - (D k * / n)) by (apply Rmult_eq_reg_r with n; [|lra]; rewrite diff; field; lra).
    rewrite split. assert (i : / (1 + e) <= / n) by (apply Rinv_le_contravar; lra).
    assert (j : / n <= 1) by (rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
    assert (0 <= e * A k) by (apply Rmult_le_pos; lra). nra. }
  rewrite zero, total_plus, !total_scale in le. apply Rmult_le_reg_l with (/ (1 + e)); [apply Rinv_0_lt_compat; lra|].
  replace (/ (1 + e) * (e * (1 + e) * total A T)) with (e * total A T) by (field; lra). lra.
Qed.

Lemma upper_sum : e * total A T * cos h <= (1 + e) * total D T.
Proof.
  destruct sum_of_logs as [zero all]. pose proof excess_pos as p.
  assert (ch : 0 < cos h) by (destruct (turn 0%nat some); lra).
  assert (le : total (fun k => e * / (1 + e) * A k + (- / cos h) * D k) T <= total (fun k => ln (F k)) T).
  { apply total_le. intros k less. pose proof (all k less) as fp.
    pose proof (ln_le (/ F k) (Rinv_0_lt_compat _ fp)) as L. rewrite ln_Rinv in L by auto.
    destruct (factor k less) as [pos [prodF diff]]. destruct (cosines k less) as [c1 [c0 cd]].
    destruct (turn k less) as [d0 [ct _]].
    set (n := 1 + e * (c (S k) * c (S k))) in *. set (q := cos (phi (S k) - phi k) + e * (c k * c (S k))) in *.
    assert (cc : 0 <= c k * c (S k) <= 1) by nra. assert (q0 : cos h <= q <= 1 + e) by (unfold q; nra).
    assert (a0 : 0 <= A k) by (unfold A; apply Rmult_le_pos; lra).
    assert (split : 1 - / F k = e * A k * / q + - (D k * / q)).
    { assert (Fq : F k = q / n) by (rewrite <- prodF; field; lra). rewrite <- prodF at 1 2.
      apply Rmult_eq_reg_r with (F k * n); [|rewrite prodF; lra].
      replace ((1 - / F k) * (F k * n)) with ((F k - 1) * n) by (field; lra). rewrite diff. field. split; lra. }
    assert (i : / (1 + e) <= / q) by (apply Rinv_le_contravar; lra).
    assert (j : / q <= / cos h) by (apply Rinv_le_contravar; lra).
    assert (0 <= e * A k) by (apply Rmult_le_pos; lra). nra. }
  rewrite zero, total_plus, !total_scale in le.
  assert (le' : e * / (1 + e) * total A T <= / cos h * total D T) by lra.
  apply Rmult_le_reg_l with (/ (1 + e) * / cos h); [apply Rmult_lt_0_compat; apply Rinv_0_lt_compat; lra|].
  replace (/ (1 + e) * / cos h * (e * total A T * cos h)) with (e * / (1 + e) * total A T) by (field; lra).
  replace (/ (1 + e) * / cos h * ((1 + e) * total D T)) with (/ cos h * total D T) by (field; lra). exact le'.
Qed.

Lemma rise_of_squares : rise phi T = (c 0%nat - c T) * (c 0%nat + c T) /\
  rise phi T = 2 * total A T + total (fun k => (c k - c (S k)) * (c k - c (S k))) T.
Proof.
  assert (r : rise phi T = c 0%nat * c 0%nat - c T * c T).
  { unfold rise, c. pose proof (unit_circle (phi T)). pose proof (unit_circle (phi 0%nat)). lra. }
  split; [rewrite r; ring|]. rewrite r, <- total_scale, <- total_plus.
  pose proof (total_differences (fun k => - (c k * c k)) T) as t.
  replace (c 0%nat * c 0%nat - c T * c T) with (- (c T * c T) - - (c 0%nat * c 0%nat)) by ring. rewrite <- t.
  apply total_ext. intros k _. unfold A. ring.
Qed.

Theorem moran_excess :
  (1 - h * h / 12) * length phi T <= (lam - 1) * (1 + (lam - 1)) * rise phi T /\
  (lam - 1) * rise phi T * (1 - h / (cos (phi 0%nat) + cos (phi T))) * cos h <= (1 + (lam - 1)) * length phi T /\
  length phi T <= h * (phi T - phi 0%nat).
Proof.
  fold e. pose proof excess_pos as p. destruct rise_of_squares as [r1 r2].
  assert (ch : 0 < cos h) by (destruct (turn 0%nat some); lra).
  assert (dl : (1 - h * h / 12) * length phi T <= 2 * total D T).
  { unfold length. rewrite <- !total_scale. apply total_le. intros k less. apply turn. auto. }
  assert (du : 2 * total D T <= length phi T).
  { unfold length. rewrite <- total_scale. apply total_le. intros k less. apply turn. auto. }
  set (Q := total (fun k => (c k - c (S k)) * (c k - c (S k))) T) in *.
  assert (q0 : 0 <= Q).
  { rewrite <- (Rmult_0_l (total (fun _ => 0) T)), <- total_scale. apply total_le. intros k _. rewrite Rmult_0_l. apply Rle_0_sqr. }
  assert (q1 : Q <= h * (c 0%nat - c T)).
  { replace (c 0%nat - c T) with (total (fun k => - c (S k) - - c k) T) by (rewrite (total_differences (fun k => - c k)); ring).
    rewrite <- total_scale. apply total_le. intros k less. destruct (cosines k less) as [_ [_ d]]. pose proof (mesh k less).
    replace (- c (S k) - - c k) with (c k - c (S k)) by ring. apply Rmult_le_compat_r; lra. }
  assert (a0 : 0 <= e * (1 + e)) by nra. pose proof lower_sum as low. pose proof upper_sum as up.
  split; [|split].
  - apply Rle_trans with (1 := dl). apply Rle_trans with (2 * (e * (1 + e) * total A T)); [lra|].
    replace (2 * (e * (1 + e) * total A T)) with (e * (1 + e) * (2 * total A T)) by ring. apply Rmult_le_compat_l; lra.
  - assert (k : 0 < c 0%nat + c T).
    { destruct (cosines 0%nat some) as [_ [c0 _]]. assert (0 <= c T) by (apply cos_nonneg, (schedule_within phi T); auto). lra. }
    fold (c 0%nat) (c T).
    assert (share : rise phi T * (1 - h / (c 0%nat + c T)) <= 2 * total A T).
    { replace (rise phi T * (1 - h / (c 0%nat + c T))) with (rise phi T - h * (rise phi T / (c 0%nat + c T))) by (field; lra).
      rewrite r1 at 2. replace ((c 0%nat - c T) * (c 0%nat + c T) / (c 0%nat + c T)) with (c 0%nat - c T) by (field; lra). lra. }
    assert (ec : 0 <= e * cos h) by (apply Rmult_le_pos; lra).
    apply Rle_trans with (e * cos h * (2 * total A T)).
    + replace (e * rise phi T * (1 - h / (c 0%nat + c T)) * cos h)
        with (e * cos h * (rise phi T * (1 - h / (c 0%nat + c T)))) by ring. apply Rmult_le_compat_l; auto.
    + apply Rle_trans with (2 * ((1 + e) * total D T)); [lra|].
      replace (2 * ((1 + e) * total D T)) with ((1 + e) * (2 * total D T)) by ring. apply Rmult_le_compat_l; lra.
  - unfold length. rewrite <- total_differences, <- total_scale. apply total_le. intros k less.
    destruct (step_order phi T sch k less). pose proof (mesh k less). apply Rmult_le_compat_r; lra.
Qed.
End Root.
