// One thread a number of the image; neighbours read neighbours, but for the turns of the blocks.
#include "../device.cuh"

// y (B, d, p) from x; offsets only if `shifted`.
template <class Real>
__global__ void sweep(const Real* __restrict__ x, const int64* __restrict__ sources, const Real* __restrict__ factors,
                      const Real* __restrict__ offsets, int64 batch, int64 d, int64 p, int64 q, int shifted, Real* y) {
    const int64 at = sample();
    if (at >= batch * d * p) return;
    const int64 c = at % p, i = at / p % d;
    const Real* image = x + at / (p * d) * (d * p) + c;
    Real total = 0;
    for (int64 s = 0; s < q; ++s) total += image[sources[s * d + i] * p];
    const Real value = factors[i] * total;
    y[at] = shifted ? value + offsets[i] : value;
}
