// One thread an orbit: its point and frame in registers while d and k are small. The rule comes before this text, in the
// namespace `rule`. Growth is kept as mantissa * 2^exponent, so that long sums do not round and float32 stays float32.
// Nothing is fused, so that an orbit is the same number for number as in every other kernel.
#include "../orthonormal/gram_schmidt.cuh"

template <class Real, int K>
struct Rows {  // of a frame (d, k)
    Real* frame;
    __device__ inline Real& operator()(int64 j, int64 i) const { return frame[i * K + j]; }
};

template <class Real>
struct Diagonal {
    Real* lengths;
    __device__ inline void add(int64, int64, Real) const {}
    __device__ inline void set(int64 j, Real size) const { lengths[j] = size; }
};

// out = Df(x, n) V
template <class Real, int D, int K>
__device__ inline void push(const Real* x, int64 n, const Real* V, Real* out) {
#ifdef RULE_TANGENT
    rule::tangent(x, n, V, K, out);
#else
    Real jacobian[D * D];
    rule::jacobian(x, n, jacobian);
#pragma unroll (D * K <= 16 ? D : 1)
    for (int i = 0; i < D; ++i)
#pragma unroll (K > 0 && D * K <= 16 ? K : 1)
        for (int c = 0; c < K; ++c) {
            Real sum = jacobian[i * D] * V[c];
            for (int m = 1; m < D; ++m) sum += jacobian[i * D + m] * V[m * K + c];
            out[i * K + c] = sum;
        }
#endif
}

// points (batch, D), frames (batch, D, K), growth (batch, K) as exponents and mantissas, facts (batch, 2): spread and size.
template <class Real, int D, int K>
__global__ void advance(Real* points, Real* frames, int64* exponents, Real* mantissas, Real* facts, int64 batch,
                        int64 first, int64 steps, int64 interval) {
    const int64 b = sample();
    if (b >= batch) return;
    constexpr int SOME = K > 0 ? K : 1;
    Real x[D], V[D * SOME], next[D], other[D * SOME], mantissa[SOME], spread = 0, size = 0;
    int64 exponent[SOME];
    for (int i = 0; i < D; ++i) x[i] = points[b * D + i];
#pragma unroll (K > 0 && D * K <= 16 ? D * K : 1)
    for (int i = 0; i < D * K; ++i) V[i] = frames[b * D * K + i];
    for (int c = 0; c < K; ++c) {
        mantissa[c] = 1;
        exponent[c] = 0;
    }
    for (int64 i = 0, since = 0; i < steps; ++i) {
        if constexpr (K > 0) push<Real, D, K>(x, first + i, V, other);
        rule::step(x, first + i, next);
        for (int r = 0; r < D; ++r) x[r] = next[r];
#pragma unroll (K > 0 && D * K <= 16 ? D * K : 1)
        for (int r = 0; r < D * K; ++r) V[r] = other[r];
        if constexpr (K > 0) {
            if (++since != interval && (interval == 0 || i + 1 < steps)) continue;
            since = 0;
            Real lengths[SOME], low = 0, high = 0;  // the least and the greatest of those that are not dead
            orthonormalise<1, D, K, Real>(Rows<Real, K>{V}, Diagonal<Real>{lengths}, D, K);
#pragma unroll (K > 0 && D * K <= 16 ? K : 1)
            for (int c = 0; c < K; ++c) {
                const Real length = lengths[c];
                mantissa[c] *= length;
                if (length > Real(0) && isfinite(length)) {
                    low = low > Real(0) ? fmin(low, length) : length;
                    high = fmax(high, length);
                    int power;
                    mantissa[c] = frexp(mantissa[c], &power);
                    exponent[c] += isfinite(mantissa[c]) ? power : 0;
                }
            }
            if (low > Real(0)) {
                low = log(low);
                high = log(high);
                spread = fmax(spread, high - low);
                size = fmax(size, fmax(high, -low));
            }
        }
    }
    for (int i = 0; i < D; ++i) points[b * D + i] = x[i];
#pragma unroll (K > 0 && D * K <= 16 ? D * K : 1)
    for (int i = 0; i < D * K; ++i) frames[b * D * K + i] = V[i];
    for (int c = 0; c < K; ++c) {
        exponents[b * K + c] = exponent[c];
        mantissas[b * K + c] = mantissa[c];
    }
    facts[b * 2] = spread;
    facts[b * 2 + 1] = size;
}
