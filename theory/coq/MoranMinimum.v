(** moran-minimum: over schedules of T >= 2 steps from 0 to pi/2 the least lam** is sec(pi/2T)^{2T} > e^{pi^2/4T},
    attained by sigma_i = sqrt(lam) tan(i pi/2T).
    optimal-schedule-one-scale: the schedule uniform in psi exists between any end points. *)

Require Import Reals Lra Lia PeanoNat.
Require Import Geometry Moran MoranRoot Telescoping Cosines Minimum.
Open Scope R_scope.

Lemma sigma_of_psi lam p : 0 < lam -> 0 <= p < PI / 2 -> 0 <= psi lam p < PI / 2 /\ tan p = sqrt lam * tan (psi lam p).
Proof.
  intros pos range. destruct (psi_direction lam p pos) as [bounds [c s]]; [lra|].
  assert (cp : 0 < cos p) by (apply cos_pos; auto). assert (l : 0 < sqrt lam) by (apply sqrt_lt_R0; auto).
  assert (n : 0 < sqrt (N lam p)) by (apply sqrt_lt_R0, N_pos; auto).
  assert (positive : 0 < sqrt (N lam p) * cos (psi lam p)) by (rewrite c; apply Rmult_lt_0_compat; auto).
  assert (cs : 0 < cos (psi lam p)).
  { apply Rmult_lt_reg_l with (sqrt (N lam p)); auto. lra. }
  assert (inner : psi lam p < PI / 2).
  { destruct (Rlt_or_le (psi lam p) (PI / 2)) as [ok|big]; auto.
    replace (psi lam p) with (PI / 2) in cs by lra. rewrite cos_PI2 in cs. lra. }
  split; [lra|]. unfold tan. rewrite <- s. replace (cos p) with (sqrt (N lam p) * cos (psi lam p) / sqrt lam) by (rewrite c; field; lra).
  field. lra.
Qed.

(** sigma_k = sqrt(lam) tan(first + k m) for k < T, then the angle `last` *)
Definition spread (lam first m : R) (T : nat) (last : R) (k : nat) : R :=
  if (k <? T)%nat then atan (sqrt lam * tan (first + INR k * m)) else last.

Lemma spread_inner lam first m T last k : (k < T)%nat ->
  spread lam first m T last k = atan (sqrt lam * tan (first + INR k * m)).
Proof. intros less. unfold spread. apply Nat.ltb_lt in less. rewrite less. reflexivity. Qed.

Lemma spread_last lam first m T last : spread lam first m T last T = last.
Proof. unfold spread. rewrite Nat.ltb_irrefl. reflexivity. Qed.

Lemma sigma_rises lam a b : 0 < lam -> 0 <= a < b -> b < PI / 2 ->
  0 <= sqrt lam * tan a < sqrt lam * tan b.
Proof.
  intros pos order top. assert (l : 0 < sqrt lam) by (apply sqrt_lt_R0; auto).
  assert (0 <= tan a).
  { unfold tan. apply Rmult_le_pos; [apply sin_nonneg; lra | left; apply Rinv_0_lt_compat, cos_pos; lra]. }
  assert (tan a < tan b) by (apply tan_increasing; lra).
  split; [apply Rmult_le_pos; lra | apply Rmult_lt_compat_l; auto].
Qed.

Theorem uniform_schedule_exists : forall (lam p0 pT : R) (T : nat), (0 < T)%nat -> 0 < lam -> 0 <= p0 < pT -> pT <= PI / 2 ->
  exists best, schedule best T /\ best 0%nat = p0 /\ best T = pT /\ uniform_in_psi best T lam /\
  forall k, (k < T)%nat -> tan (best k) = sqrt lam * tan (psi lam (best k)).
Proof.
  intros lam p0 pT T some pos order top.
  assert (n : 1 <= INR T) by (apply (le_INR 1); auto).
  destruct (sigma_of_psi lam p0 pos) as [[a0 a1] sigma0]; [lra|].
  set (a := psi lam p0) in *. set (b := psi lam pT).
  assert (ab : a < b).
  { destruct (psi_order lam p0 pT pos order top) as [le _]. fold a b in le.
    destruct (Rle_lt_or_eq_dec 0 (b - a) le) as [ok|same]; [lra|]. exfalso.
    destruct (Rle_lt_or_eq_dec pT (PI / 2) top) as [inner|edge].
    - destruct (sigma_of_psi lam pT pos) as [_ sigmaT]; [lra|]. fold b in sigmaT.
      replace b with a in sigmaT by lra. rewrite <- sigma0 in sigmaT.
      assert (tan p0 < tan pT) by (apply tan_increasing; lra). lra.
    - unfold b in same. rewrite edge, psi_half_pi in same. lra. }
  assert (bt : b <= PI / 2) by (apply (psi_direction lam pT pos); lra).
  set (m := (b - a) / INR T).
  assert (mpos : 0 < m) by (apply Rmult_lt_0_compat; [lra | apply Rinv_0_lt_compat; lra]).
  assert (whole : a + INR T * m = b) by (unfold m; field; lra).
  assert (turn : forall k, (k < T)%nat -> 0 <= a + INR k * m < b).
  { intros k less. assert (INR k < INR T) by (apply lt_INR; auto). assert (0 <= INR k) by apply pos_INR.
    assert (0 <= INR k * m) by (apply Rmult_le_pos; lra). assert (INR k * m < INR T * m) by (apply Rmult_lt_compat_r; auto). lra. }
  set (best := spread lam a m T pT).
  assert (inner : forall k, (k < T)%nat -> best k = atan (sqrt lam * tan (a + INR k * m))) by (intros; apply spread_inner; auto).
  assert (last : best T = pT) by apply spread_last.
  assert (first : best 0%nat = p0).
  { rewrite inner by auto. simpl. rewrite Rmult_0_l, Rplus_0_r, <- sigma0. apply atan_tan. lra. }
  assert (up : forall k, (k < T)%nat -> best k < best (S k)).
  { intros k less. destruct (turn k less) as [low high]. rewrite (inner k) by auto. destruct (Nat.eq_dec (S k) T) as [e|ne].
    - rewrite e, last. destruct (Rle_lt_or_eq_dec pT (PI / 2) top) as [i|edge]; [|rewrite edge; apply atan_bound].
      destruct (sigma_of_psi lam pT pos) as [range sigmaT]; [lra|]. fold b in range, sigmaT.
      rewrite <- (atan_tan pT) by lra. apply atan_increasing. rewrite sigmaT. apply sigma_rises; lra.
    - assert (less' : (S k < T)%nat) by lia. destruct (turn (S k) less') as [low' high']. rewrite inner by auto.
      apply atan_increasing. apply sigma_rises; try lra. rewrite S_INR. lra. }
  assert (sch : schedule best T) by (split; [rewrite first; lra | split; [auto | rewrite last; auto]]).
  assert (psis : forall k, (k < T)%nat -> psi lam (best k) = a + INR k * m).
  { intros k less. destruct (turn k less). apply psi_of_sigma; auto; try lra.
    - apply (schedule_inner best T); auto.
    - rewrite inner by auto. apply tan_atan. }
  exists best. repeat (split; [assumption|]). split.
  - intros k le. unfold mean_step. rewrite first, last. fold a b m. destruct (Nat.eq_dec k T) as [->|ne].
    + rewrite last. fold b. lra.
    + apply psis. lia.
  - intros k less. rewrite psis by auto. rewrite inner by auto. apply tan_atan.
Qed.

Definition least_root (T : nat) : R := / cos (PI / 2 / INR T) ^ (2 * T).

Section FromZero.
Variables (phi : nat -> R) (T : nat).
Hypothesis steps : (2 <= T)%nat.
Hypothesis sch : schedule phi T.
Hypothesis first : phi 0%nat = 0.
Hypothesis last : phi T = PI / 2.

Lemma mean_from_zero lam : 0 < lam -> mean_step phi T lam = PI / 2 / INR T.
Proof. intros pos. unfold mean_step. rewrite first, last, psi_zero, psi_half_pi, Rminus_0_r by auto. reflexivity. Qed.

Lemma chain_squared lam : 0 < lam -> chain phi T lam * chain phi T lam = lam * (defect phi T lam * defect phi T lam).
Proof.
  intros pos. rewrite telescoping by auto. rewrite first, last.
  replace (N lam 0) with lam by (unfold N; rewrite cos_0, sin_0; ring).
  replace (N lam (PI / 2)) with 1 by (unfold N; rewrite cos_PI2, sin_PI2; ring).
  replace (lam / 1) with lam by field.
  transitivity (sqrt lam * sqrt lam * (defect phi T lam * defect phi T lam)); [ring | rewrite sqrt_sqrt by lra; ring].
Qed.
End FromZero.

Lemma quarter T : (2 <= T)%nat -> 0 < PI / 2 / INR T < PI / 2.
Proof.
  intros steps. pose proof PI_RGT_0. assert (2 <= INR T) by (apply (le_INR 2); auto). split.
  - apply Rmult_lt_0_compat; [lra | apply Rinv_0_lt_compat; lra].
  - apply Rmult_lt_reg_r with (INR T); [lra|]. replace (PI / 2 / INR T * INR T) with (PI / 2) by (field; lra). nra.
Qed.

Lemma least_root_bound T : (2 <= T)%nat -> least_root T > exp (PI * PI / (4 * INR T)).
Proof.
  intros steps. destruct (quarter T steps) as [pos inner]. set (m := PI / 2 / INR T) in *.
  assert (n : 2 <= INR T) by (apply (le_INR 2); auto).
  assert (c : 0 < cos m) by (apply cos_pos; lra). pose proof (below_gaussian m (conj pos inner)) as g.
  unfold least_root. fold m. replace (PI * PI / (4 * INR T)) with (- (INR (2 * T) * (- (m * m) / 2))).
  2: { rewrite mult_INR. simpl (INR 2). unfold m. field. lra. }
  rewrite exp_Ropp. apply Rlt_gt, Rinv_lt_contravar.
  - apply Rmult_lt_0_compat; [apply pow_lt; auto | apply exp_pos].
  - replace (exp (INR (2 * T) * (- (m * m) / 2))) with (exp (- (m * m) / 2) ^ (2 * T)).
    + destruct T as [|T]; [lia|]. apply (Rlt_le_trans _ (cos m ^ (2 * S T - 1) * exp (- (m * m) / 2))).
      * replace (2 * S T)%nat with (S (2 * S T - 1)) at 1 by lia. simpl pow at 1. rewrite Rmult_comm.
        apply Rmult_lt_compat_l; auto. apply pow_lt; auto.
      * replace (2 * S T)%nat with (S (2 * S T - 1)) at 2 by lia. simpl pow at 2. rewrite Rmult_comm.
        apply Rmult_le_compat_l; [left; apply exp_pos|]. apply pow_incr. lra.
    + generalize (2 * T)%nat as k. induction k as [|k IH]; [simpl; rewrite Rmult_0_l, exp_0; reflexivity|].
      rewrite S_INR, Rmult_plus_distr_r, exp_plus, <- IH, Rmult_1_l. simpl. ring.
Qed.

Theorem moran_minimum : forall T : nat, (2 <= T)%nat ->
  (forall phi lam, schedule phi T -> phi 0%nat = 0 -> phi T = PI / 2 -> root phi T lam -> least_root T <= lam) /\
  (exists best, schedule best T /\ best 0%nat = 0 /\ best T = PI / 2 /\ root best T (least_root T) /\
    forall i, (i < T)%nat -> tan (best i) = sqrt (least_root T) * tan (INR i * (PI / 2 / INR T))) /\
  least_root T > exp (PI * PI / (4 * INR T)).
Proof.
  intros T steps. destruct (quarter T steps) as [pos inner]. pose proof PI_RGT_0.
  assert (c : 0 < cos (PI / 2 / INR T)) by (apply cos_pos; lra).
  assert (power : cos (PI / 2 / INR T) ^ (2 * T) = cos (PI / 2 / INR T) ^ T * cos (PI / 2 / INR T) ^ T).
  { rewrite <- pow_add. f_equal. lia. }
  assert (p : 0 < cos (PI / 2 / INR T) ^ T) by (apply pow_lt; auto).
  assert (pp : 0 < cos (PI / 2 / INR T) ^ T * cos (PI / 2 / INR T) ^ T) by (apply Rmult_lt_0_compat; auto).
  assert (l : 0 < least_root T) by (unfold least_root; rewrite power; apply Rinv_0_lt_compat; auto).
  split; [|split].
  - intros phi lam sch first last [nn one].
    assert (lp : 1 < lam) by (apply (moran_above_one phi T); auto; lia).
    pose proof (chain_squared phi T sch first last lam) as sq. rewrite one in sq.
    pose proof (largest_defect phi T lam) as [low high]; auto; try lia; try lra. rewrite (mean_from_zero phi T first last) in high by lra.
    unfold least_root. rewrite power. apply Rmult_le_reg_r with (cos (PI / 2 / INR T) ^ T * cos (PI / 2 / INR T) ^ T); auto.
    rewrite Rinv_l by lra. specialize (sq ltac:(lra)).
    assert (defect phi T lam * defect phi T lam <= cos (PI / 2 / INR T) ^ T * cos (PI / 2 / INR T) ^ T) by (apply Rmult_le_compat; auto).
    assert (lam * (defect phi T lam * defect phi T lam) <= lam * (cos (PI / 2 / INR T) ^ T * cos (PI / 2 / INR T) ^ T)) by (apply Rmult_le_compat_l; lra).
    lra.
  - destruct (uniform_schedule_exists (least_root T) 0 (PI / 2) T) as [best [sch [first [last [uni sigma]]]]]; try lra; try lia.
    exists best. repeat (split; [assumption|]). split.
    + split; [lra|]. pose proof (chain_squared best T sch first last (least_root T) l) as sq.
      rewrite uniform_defect in sq by auto. rewrite (mean_from_zero best T first last) in sq by auto.
      replace (least_root T * _) with 1 in sq by (unfold least_root; rewrite power; field; lra).
      pose proof (chain_le best T (least_root T) (least_root T) sch). nra.
    + intros i less. rewrite sigma by auto. rewrite (uni i) by lia.
      rewrite (mean_from_zero best T first last), first, psi_zero by auto. rewrite Rplus_0_l. reflexivity.
  - apply least_root_bound. auto.
Qed.
