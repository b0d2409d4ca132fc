// LANES threads a frame, which lies in memory and, while they work on it, in the first cache.
#include "gram_schmidt.cuh"

template <class Real>
struct Column {
    Real* frame;
    int64 k;
    __device__ inline Real& operator()(int64 j, int64 i) const { return frame[i * k + j]; }
};

template <class Real>
struct Upper {
    Real* R;
    int64 k;
    bool writes;  // one lane does
    __device__ inline void add(int64 m, int64 j, Real c) const {
        if (writes) R[m * k + j] += c;
    }
    __device__ inline void set(int64 j, Real size) const {
        if (writes) R[j * k + j] = size;
    }
};

// Q (batch, d, k) holds V at first; R (batch, k, k) zeros.
template <class Real, int LANES>
__global__ void factor(Real* Q, Real* R, int64 batch, int64 d, int64 k) {
    const int64 b = sample<LANES>();
    if (b >= batch) return;
    const Upper<Real> upper{R + b * k * k, k, lane<LANES>() == 0};
    orthonormalise<LANES, 0, 0, Real>(Column<Real>{Q + b * d * k, k}, upper, d, k);
}
