// LANES threads a sample through all steps of a piece, its coordinates in their registers: D of them at most, thread n
// has n, n + LANES, ... One component after the other, never unrolled: shares are added up as they come, and what was
// added up so far shrinks where a larger logit is met.
#include "component.cuh"

// points (batch, d) are led on in place; after step s they also go to kept[slots[s]] unless that is negative.
template <class Real, int D, int LANES, bool AXES>
__global__ void chain(const Real* near, const Real* mixing, const Real* sharpness, const int64* slots, int64 steps,
                      int64 count, int64 d, int64 batch, Real* points, Real* kept) {
    constexpr int EACH = D / LANES, M = AXES ? EACH : 1;
    const int64 b = sample<LANES>();
    if (b >= batch) return;
    const int64 me = lane<LANES>();
    Real x[EACH];
#pragma unroll
    for (int j = 0; j < EACH; ++j) x[j] = me + LANES * j < d ? points[b * d + me + LANES * j] : Real(0);
    for (int64 s = 0; s < steps; ++s) {
        Real top = 0, total = 0, along[M], onto[EACH];
#pragma unroll
        for (int j = 0; j < M; ++j) along[j] = 0;
#pragma unroll
        for (int j = 0; j < EACH; ++j) onto[j] = 0;
#pragma unroll 1
        for (int64 k = 0; k < count; ++k) {
            const Component<Real, AXES> one(near, mixing, d, s * count + k);
            Real squares = 0;
#pragma unroll
            for (int j = 0; j < EACH; ++j)
                if (me + LANES * j < d) squares += one.square(x[j], me + LANES * j);
            const Real logit = one.template logit<LANES>(squares);
            Real share = 1;
            if (k == 0 || logit > top) {
                const Real less = k == 0 ? Real(0) : exp2(sharpness[s] * (top - logit));
                top = logit;
                total *= less;
#pragma unroll
                for (int j = 0; j < M; ++j) along[j] *= less;
#pragma unroll
                for (int j = 0; j < EACH; ++j) onto[j] *= less;
            }
            else share = exp2(sharpness[s] * (logit - top));
            total += share;
#pragma unroll
            for (int j = 0; j < M; ++j)
                if (!AXES || me + LANES * j < d) along[j] += share * one.along(me + LANES * j);
#pragma unroll
            for (int j = 0; j < EACH; ++j)
                if (me + LANES * j < d) onto[j] += share * one.onto(me + LANES * j);
        }
        const Real part = Real(1) / total;
#pragma unroll
        for (int j = 0; j < EACH; ++j) {
            x[j] = (along[AXES ? j : 0] * x[j] + onto[j]) * part;
            if (slots[s] >= 0 && me + LANES * j < d) kept[(slots[s] * batch + b) * d + me + LANES * j] = x[j];
        }
    }
#pragma unroll
    for (int j = 0; j < EACH; ++j)
        if (me + LANES * j < d) points[b * d + me + LANES * j] = x[j];
}

// The same for any d by the 32 threads of a warp, coordinates in memory, logits and then shares in room (batch, count).
template <class Real, bool AXES>
__global__ void wide(const Real* near, const Real* mixing, const Real* sharpness, const int64* slots, int64 steps,
                     int64 count, int64 d, int64 batch, Real* points, Real* room, Real* kept) {
    const int64 b = sample<32>(), me = lane<32>();
    if (b >= batch) return;
    Real *x = points + b * d, *share = room + b * count;
    for (int64 s = 0; s < steps; ++s) {
        Real top = 0, total = 0, scale = 0;
        for (int64 k = 0; k < count; ++k) {
            const Component<Real, AXES> one(near, mixing, d, s * count + k);
            Real squares = 0;
            for (int64 i = me; i < d; i += 32) squares += one.square(x[i], i);
            const Real logit = one.template logit<32>(squares);
            if (k == 0 || logit > top) top = logit;
            if (me == 0) share[k] = logit;
        }
        meet<32>();
        for (int64 k = me; k < count; k += 32) {
            share[k] = exp2(sharpness[s] * (share[k] - top));
            total += share[k];
            if (!AXES) scale += share[k] * Component<Real, AXES>(near, mixing, d, s * count + k).along(0);
        }
        meet<32>();
        const Real part = Real(1) / lane_sum<32>(total);
        scale = lane_sum<32>(scale);
        for (int64 i = me; i < d; i += 32) {
            Real along = scale, onto = 0;
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, s * count + k);
                if (AXES) along += share[k] * one.along(i);
                onto += share[k] * one.onto(i);
            }
            x[i] = (along * x[i] + onto) * part;
            if (slots[s] >= 0) kept[(slots[s] * batch + b) * d + i] = x[i];
        }
        meet<32>();
    }
}
