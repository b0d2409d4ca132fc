// Every vector by threads of its own, which find the shares once more: one pass over the points.
#include "../point_cloud_mean/logits.cuh"

// out (batch, d, p) from vectors (batch, d, p), with tops, totals and mean as `mean` has left them.
template <class Real, int LANES, int COLUMNS>
__global__ void spread(const Real* __restrict__ points, const double* __restrict__ prior,
                       const double* __restrict__ levels, int64 angles, const Real* __restrict__ samples,
                       const Real* __restrict__ vectors, const double* __restrict__ tops,
                       const double* __restrict__ totals, const Real* __restrict__ means, int64 batch, int64 p,
                       int64 count, int64 d, double* sums, Real* out) {
    const int64 item = sample<LANES>();
    if (item >= batch * p) return;
    const int64 b = item / p, q = item % p;
    const double* facts = levels + (angles > 1 ? b * FACTS : 0);
    const Held<Real, LANES, COLUMNS> x(samples + b * d, d, 1), v(vectors + b * d * p + q, d, p), m(means + b * d, d, 1);
    double held[COLUMNS > 0 ? COLUMNS : 1];
    double* S = COLUMNS > 0 ? held : sums + item * d + lane<LANES>();
    constexpr int64 APART = COLUMNS > 0 ? 1 : LANES;
    const int64 own = columns<LANES, COLUMNS>(d);
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
    for (int64 j = 0; j < own; ++j) S[j * APART] = 0.0;
    for (int64 k = 0; k < count; k += TILE) {
        double shares[TILE];
        bool counts = false;
#pragma unroll
        for (int t = 0; t < TILE; ++t) {
            shares[t] = exp((lead(x, points, prior, facts, k + t, count, d) - tops[b]) / facts[2]);
            counts = counts || shares[t] > 0.0;
        }
        if (!counts) continue;  // for all lanes: their sums have the same bits
#pragma unroll
        for (int t = 0; t < TILE; ++t) {
            double along = 0.0;
            if (shares[t] > 0.0)
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
                for (int64 j = 0; j < own; ++j)
                    along += (coordinate<Real, LANES, COLUMNS>(points + (k + t) * d, j, d) - m(j)) * v(j);
            shares[t] *= lane_sum<LANES>(along);
        }
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
        for (int64 j = 0; j < own; ++j) {
            double sum = S[j * APART];
#pragma unroll
            for (int t = 0; t < TILE; ++t)
                if (shares[t] != 0.0)
                    sum += shares[t] * (coordinate<Real, LANES, COLUMNS>(points + (k + t) * d, j, d) - m(j));
            S[j * APART] = sum;
        }
    }
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
    for (int64 j = 0; j < own; ++j) {
        const int64 i = lane<LANES>() + j * LANES;
        if (i < d) out[(b * d + i) * p + q] = Real(S[j * APART] / totals[b]);
    }
}
