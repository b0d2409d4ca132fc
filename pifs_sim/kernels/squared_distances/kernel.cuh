// LANES threads a pair of a point and a centre.
#include "../device.cuh"

// D (batch, count); weights (count, d) or, if `each`, (batch, count, d), and only if `weighted`.
template <class Real, int LANES>
__global__ void distances(const double* __restrict__ x, const Real* __restrict__ y, const double* __restrict__ near,
                          const double* __restrict__ far, const double* __restrict__ weights, int weighted, int each,
                          int64 batch, int64 count, int64 d, double* D) {
    const int64 item = sample<LANES>();
    if (item >= batch * count) return;
    const int64 b = item / count, k = item % count;
    const double* w = weights + (weighted ? (each ? item : k) * d : 0);
    double square = 0.0;
    for (int64 i = lane<LANES>(); i < d; i += LANES) {
        const double centre = double(y[k * d + i]), e = (x[b * d + i] - near[b] * centre) - far[b] * centre;
        square += weighted ? w[i] * (e * e) : e * e;
    }
    square = lane_sum<LANES>(square);
    if (lane<LANES>() == 0) D[item] = square;
}
