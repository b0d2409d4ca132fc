// The largest logit so far, the sum of powers below it and what they weigh: one pass over the points.
#include "logits.cuh"

// tops and totals (batch,), mean (batch, d) of points (count, d); sums (batch, d) are used where COLUMNS is 0.
template <class Real, int LANES, int COLUMNS>
__global__ void mean(const Real* __restrict__ points, const double* __restrict__ prior,
                     const double* __restrict__ levels, int64 angles, const Real* __restrict__ samples, int64 batch,
                     int64 count, int64 d, double* sums, double* tops, double* totals, Real* out) {
    const int64 b = sample<LANES>();
    if (b >= batch) return;
    const double* facts = levels + (angles > 1 ? b * FACTS : 0);
    const Held<Real, LANES, COLUMNS> x(samples + b * d, d, 1);
    double held[COLUMNS > 0 ? COLUMNS : 1];
    double* S = COLUMNS > 0 ? held : sums + b * d + lane<LANES>();
    constexpr int64 APART = COLUMNS > 0 ? 1 : LANES;
    const int64 own = columns<LANES, COLUMNS>(d);
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
    for (int64 j = 0; j < own; ++j) S[j * APART] = 0.0;
    double top = LOWEST, total = 0.0;
    for (int64 k = 0; k < count; k += TILE) {
        double powers[TILE], most = top;
#pragma unroll
        for (int t = 0; t < TILE; ++t) {
            powers[t] = lead(x, points, prior, facts, k + t, count, d);
            most = powers[t] > most ? powers[t] : most;
        }
        const double scale = exp((top - most) / facts[2]);
        top = most;
        total *= scale;
#pragma unroll
        for (int t = 0; t < TILE; ++t) total += powers[t] = exp((powers[t] - top) / facts[2]);
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
        for (int64 j = 0; j < own; ++j) {
            double sum = S[j * APART] * scale;
#pragma unroll
            for (int t = 0; t < TILE; ++t)
                if (powers[t] > 0.0) sum += powers[t] * coordinate<Real, LANES, COLUMNS>(points + (k + t) * d, j, d);
            S[j * APART] = sum;
        }
    }
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
    for (int64 j = 0; j < own; ++j) {
        const int64 i = lane<LANES>() + j * LANES;
        if (i < d) out[b * d + i] = Real(S[j * APART] / total);
    }
    if (lane<LANES>() == 0) {
        tops[b] = top;
        totals[b] = total;
    }
}
