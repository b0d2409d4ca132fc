// LANES threads a sample through all steps of a piece, each with coordinates of its own as in `mixture_chain`; of the
// tangent vectors PART at a time are in registers, the others in memory. Shares of components and what vectors do to
// them stand in room.
#include "../mixture_chain/component.cuh"
#include "cholesky_qr.cuh"

// Where the steps of a piece stand in the chain, and what is kept of factorisations: after each `interval` steps, none
// if that is 0, and after the last; factors (times, batch, p, p) are zeros at first.
template <class Real>
struct Frames {
    Real *V, *logs, *factors;  // (batch, p, d), (batch, p)
    int64 p, interval, done, length, times;

    template <int LANES>
    __device__ inline void factorise(int64 s, int64 b, int64 batch, int64 d) const {
        const int64 now = done + s + 1;
        if (interval == 0 || (now % interval != 0 && now != length)) return;
        const int64 turn = (now - 1) / interval;
        Real* R = times == 0 ? nullptr : factors + (turn * batch + b) * p * p;
        const Kept<Real> kept{logs + b * p, R, p, lane<LANES>() == 0};
        orthonormalise<LANES, 0, 0, Real>(Row<Real>{V + b * p * d, d}, kept, d, p);
    }
};

// Logits stand in share; then these are the shares themselves. Returns sum_k share_k alpha_k where alpha is a number.
template <class Real, int LANES, bool AXES>
__device__ inline Real shared(const Real* near, const Real* mixing, Real sharpness, int64 first, int64 count, int64 d,
                              Real top, Real* share) {
    Real total = 0, scale = 0;
    meet<LANES>();
    for (int64 k = lane<LANES>(); k < count; k += LANES) {
        share[k] = exp2(sharpness * (share[k] - top));
        total += share[k];
    }
    const Real part = Real(1) / lane_sum<LANES>(total);
    for (int64 k = lane<LANES>(); k < count; k += LANES) {
        share[k] *= part;
        if (!AXES) scale += share[k] * Component<Real, AXES>(near, mixing, d, first + k).along(0);
    }
    meet<LANES>();
    return lane_sum<LANES>(scale);
}

// drawn (steps, count, d) holds gamma (mu - origin), shift (steps, d) c origin; room (batch, count (1 + PART)).
template <class Real, int D, int LANES, int PART, bool AXES>
__global__ void push(const Real* near, const Real* mixing, const Real* sharpness, const Real* __restrict__ drawn,
                     const Real* __restrict__ shift, int64 steps, int64 count, int64 d, int64 batch, Real* points,
                     Real* V, Real* logs, Real* factors, int64 p, int64 interval, int64 done, int64 length,
                     int64 times, Real* room) {
    constexpr int EACH = D / LANES, M = AXES ? EACH : 1;
    const int64 b = sample<LANES>(), me = lane<LANES>();
    if (b >= batch) return;
    const Frames<Real> frames{V, logs, factors, p, interval, done, length, times};
    Real *share = room + b * count * (1 + PART), *pulls = share + count;
    const auto mine = [=](int j) { return me + LANES * j < d; };
    Real x[EACH];
#pragma unroll
    for (int j = 0; j < EACH; ++j) x[j] = mine(j) ? points[b * d + me + LANES * j] : Real(0);
    for (int64 s = 0; s < steps; ++s) {
        const int64 first = s * count;
        const Real slope = sharpness[s] * Real(1.3862943611198906);  // 1/N = 2 ln(2) H eta
        Real top = 0, along[M];
#pragma unroll 1
        for (int64 k = 0; k < count; ++k) {
            const Component<Real, AXES> one(near, mixing, d, first + k);
            Real squares = 0;
#pragma unroll
            for (int j = 0; j < EACH; ++j)
                if (mine(j)) squares += one.square(x[j], me + LANES * j);
            const Real logit = one.template logit<LANES>(squares);
            if (k == 0 || logit > top) top = logit;
            if (me == 0) share[k] = logit;
        }
        along[0] = shared<Real, LANES, AXES>(near, mixing, sharpness[s], first, count, d, top, share);
        if (AXES) {
#pragma unroll
            for (int j = 0; j < M; ++j) along[j] = 0;
#pragma unroll 1
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, first + k);
#pragma unroll
                for (int j = 0; j < M; ++j)
                    if (mine(j)) along[j] += share[k] * one.along(me + LANES * j);
            }
        }
#pragma unroll 1
        for (int64 v = 0; v < p; v += PART) {
            Real vectors[PART][EACH], mean[PART], pulled[PART][EACH], scale[PART];
#pragma unroll
            for (int q = 0; q < PART; ++q) {
                mean[q] = scale[q] = 0;
#pragma unroll
                for (int j = 0; j < EACH; ++j) {
                    vectors[q][j] = mine(j) && v + q < p ? V[(b * p + v + q) * d + me + LANES * j] : Real(0);
                    pulled[q][j] = 0;
                }
            }
#pragma unroll 1
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, first + k);
                Real pull[PART];
#pragma unroll
                for (int q = 0; q < PART; ++q) pull[q] = 0;
#pragma unroll
                for (int j = 0; j < EACH; ++j) {
                    if (!mine(j)) continue;
                    Real e = one.apart(x[j], me + LANES * j);
                    if (AXES) e *= one.sharp(me + LANES * j);
#pragma unroll
                    for (int q = 0; q < PART; ++q) pull[q] += e * vectors[q][j];
                }
#pragma unroll
                for (int q = 0; q < PART; ++q) {
                    pull[q] = slope * lane_sum<LANES>(AXES ? pull[q] : one.sharp(0) * pull[q]);
                    mean[q] += share[k] * pull[q];
                    if (me == 0) pulls[q * count + k] = pull[q];
                }
            }
            meet<LANES>();
#pragma unroll 1
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, first + k);
                Real weight[PART];
#pragma unroll
                for (int q = 0; q < PART; ++q) {
                    weight[q] = share[k] * (pulls[q * count + k] - mean[q]);
                    if (!AXES) scale[q] += weight[q] * one.along(0);
                }
#pragma unroll
                for (int j = 0; j < EACH; ++j) {
                    if (!mine(j)) continue;
                    const int64 i = me + LANES * j;
                    Real moved = drawn[(first + k) * d + i];
                    if (AXES) moved += one.along(i) * (x[j] - shift[s * d + i]);
#pragma unroll
                    for (int q = 0; q < PART; ++q) pulled[q][j] += weight[q] * moved;
                }
            }
#pragma unroll
            for (int j = 0; j < EACH; ++j) {
                if (!mine(j)) continue;
                const int64 i = me + LANES * j;
                const Real y = AXES ? Real(0) : x[j] - shift[s * d + i];
#pragma unroll
                for (int q = 0; q < PART; ++q)
                    if (v + q < p)
                        V[(b * p + v + q) * d + i] = along[AXES ? j : 0] * vectors[q][j] + (pulled[q][j] + scale[q] * y);
            }
            meet<LANES>();
        }
        Real onto[EACH];
#pragma unroll
        for (int j = 0; j < EACH; ++j) onto[j] = 0;
#pragma unroll 1
        for (int64 k = 0; k < count; ++k) {
            const Component<Real, AXES> one(near, mixing, d, first + k);
#pragma unroll
            for (int j = 0; j < EACH; ++j)
                if (mine(j)) onto[j] += share[k] * one.onto(me + LANES * j);
        }
#pragma unroll
        for (int j = 0; j < EACH; ++j) x[j] = along[AXES ? j : 0] * x[j] + onto[j];
        meet<LANES>();
        frames.template factorise<LANES>(s, b, batch, d);
    }
#pragma unroll
    for (int j = 0; j < EACH; ++j)
        if (mine(j)) points[b * d + me + LANES * j] = x[j];
}

// The same for any d by the 32 threads of a warp, one vector at a time, all coordinates in memory; room (batch, 2 count).
template <class Real, bool AXES>
__global__ void push_wide(const Real* near, const Real* mixing, const Real* sharpness, const Real* __restrict__ drawn,
                          const Real* __restrict__ shift, int64 steps, int64 count, int64 d, int64 batch, Real* points,
                          Real* V, Real* logs, Real* factors, int64 p, int64 interval, int64 done, int64 length,
                          int64 times, Real* room) {
    const int64 b = sample<32>(), me = lane<32>();
    if (b >= batch) return;
    const Frames<Real> frames{V, logs, factors, p, interval, done, length, times};
    Real *x = points + b * d, *share = room + b * count * 2, *pulls = share + count;
    for (int64 s = 0; s < steps; ++s) {
        const int64 first = s * count;
        const Real slope = sharpness[s] * Real(1.3862943611198906);
        Real top = 0;
        for (int64 k = 0; k < count; ++k) {
            const Component<Real, AXES> one(near, mixing, d, first + k);
            Real squares = 0;
            for (int64 i = me; i < d; i += 32) squares += one.square(x[i], i);
            const Real logit = one.template logit<32>(squares);
            if (k == 0 || logit > top) top = logit;
            if (me == 0) share[k] = logit;
        }
        const Real scale = shared<Real, 32, AXES>(near, mixing, sharpness[s], first, count, d, top, share);
        for (int64 v = 0; v < p; ++v) {
            Real *vector = V + (b * p + v) * d, mean = 0;
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, first + k);
                Real pull = 0;
                for (int64 i = me; i < d; i += 32) pull += one.sharp(i) * one.apart(x[i], i) * vector[i];
                pull = slope * lane_sum<32>(pull);
                mean += share[k] * pull;
                if (me == 0) pulls[k] = pull;
            }
            meet<32>();
            for (int64 i = me; i < d; i += 32) {
                Real along = AXES ? Real(0) : scale, pulled = 0;
                for (int64 k = 0; k < count; ++k) {
                    const Component<Real, AXES> one(near, mixing, d, first + k);
                    const Real moved = drawn[(first + k) * d + i] + one.along(i) * (x[i] - shift[s * d + i]);
                    pulled += share[k] * (pulls[k] - mean) * moved;
                    if (AXES) along += share[k] * one.along(i);
                }
                vector[i] = along * vector[i] + pulled;
            }
            meet<32>();
        }
        for (int64 i = me; i < d; i += 32) {
            Real along = AXES ? Real(0) : scale, onto = 0;
            for (int64 k = 0; k < count; ++k) {
                const Component<Real, AXES> one(near, mixing, d, first + k);
                if (AXES) along += share[k] * one.along(i);
                onto += share[k] * one.onto(i);
            }
            x[i] = along * x[i] + onto;
        }
        meet<32>();
        frames.template factorise<32>(s, b, batch, d);
    }
}
