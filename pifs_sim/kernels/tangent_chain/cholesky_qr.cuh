// V = Q R of many vectors by a block of threads: the Cholesky factor of their products, twice (Yamamoto et al. 2015,
// ETNA 44: Q is orthonormal to rounding if the first factor is not near singular). Frames where a pivot or the second
// products say that it is go through Gram-Schmidt, which knows dead vectors.
#include "../orthonormal/gram_schmidt.cuh"

template <class Real>
struct Row {
    Real* frame;
    int64 d;
    __device__ inline Real& operator()(int64 j, int64 i) const { return frame[j * d + i]; }
};

// Logarithms of the diagonal of R are added up, and R goes to memory if there is a place.
template <class Real>
struct Kept {
    Real *logs, *R;
    int64 p;
    bool writes;  // one thread does
    __device__ inline void add(int64 m, int64 j, Real c) const {
        if (writes && R != nullptr) R[m * p + j] += c;
    }
    __device__ inline void set(int64 j, Real size) const {
        if (!writes) return;
        logs[j] += log(size);
        if (R != nullptr) R[j * p + j] = size;
    }
};

// L (p, p) becomes the Cholesky factor of the products of the rows of V (p, d), scaled to length 1, and sizes (p) their
// lengths. Returns whether all pivots are above `least` and all cosines of different rows within `most`.
template <class Real>
__device__ inline bool cholesky(const Real* V, Real* L, Real* sizes, int64 d, int64 p, Real least, Real most) {
    const int64 me = lane<32>(), warp = threadIdx.x / 32, warps = blockDim.x / 32;
    for (int64 n = warp; n < p * p; n += warps) {
        const int64 j = n / p, m = n % p;
        if (m > j) continue;
        Real sum = 0;
        for (int64 i = me; i < d; i += 32) sum += V[j * d + i] * V[m * d + i];
        sum = lane_sum<32>(sum);
        if (me == 0) L[n] = sum;
    }
    __syncthreads();
    for (int64 j = threadIdx.x; j < p; j += blockDim.x) sizes[j] = sqrt(L[j * p + j]);
    __syncthreads();
    const Real eps = Rounding<Real>::eps, tiny = eps * eps * (eps * eps);  // whose products with squares are in range
    bool good = true;
    for (int64 j = 0; j < p; ++j) {
        const Real square = L[j * p + j];
        good = good && square > tiny && square * tiny < Real(1);  // of no nan either
        for (int64 m = 0; m < j; ++m) good = good && fabs(L[j * p + m]) <= most * sizes[j] * sizes[m];
    }
    __syncthreads();
    for (int64 j = 0; good && j < p; ++j) {
        Real pivot = 1;
        for (int64 m = 0; m < j; ++m) pivot -= L[j * p + m] * L[j * p + m];
        good = pivot > least;
        pivot = sqrt(pivot);
        for (int64 n = j + 1 + threadIdx.x; good && n < p; n += blockDim.x) {
            Real rest = L[n * p + j] / (sizes[n] * sizes[j]);
            for (int64 m = 0; m < j; ++m) rest -= L[n * p + m] * L[j * p + m];
            L[n * p + j] = rest / pivot;
        }
        __syncthreads();
        if (threadIdx.x == 0) L[j * p + j] = pivot;
    }
    __syncthreads();
    return good;
}

// The rows of V (p, d) become orthonormal: each coordinate by itself.
template <class Real>
__device__ inline void divide(Real* V, const Real* L, const Real* sizes, int64 d, int64 p) {
    for (int64 i = threadIdx.x; i < d; i += blockDim.x)
        for (int64 j = 0; j < p; ++j) {
            Real rest = V[j * d + i] / sizes[j];
            for (int64 m = 0; m < j; ++m) rest -= L[j * p + m] * V[m * d + i];
            V[j * d + i] = rest / L[j * p + j];
        }
    __syncthreads();
}

// A block a sample: V (batch, p, d) becomes Q, logs (batch, p) grow by ln R_jj, and R goes to `factors` (batch, p, p),
// zeros at first, unless `times` is 0. room (batch, 3 p (p + 1)) is for both factors, their lengths, and a third.
template <class Real>
__global__ void factor(Real* V, Real* logs, Real* factors, Real* room, int64 batch, int64 d, int64 p,
                       int64 times) {
    const int64 b = blockIdx.x, size = p * (p + 1);
    Real *rows = V + b * p * d, *L = room + b * 3 * size, *second = L + size, *third = second + size;
    Real* R = times == 0 ? nullptr : factors + b * p * p;
    const Real least = Real(8 * d) * Rounding<Real>::eps;
    const bool once = cholesky(rows, L, L + p * p, d, p, least, Real(2));
    if (once) divide(rows, L, L + p * p, d, p);
    const bool twice = once && cholesky(rows, second, second + p * p, d, p, least, Real(0.25) / Real(p));
    if (twice) divide(rows, second, second + p * p, d, p);
    if (!twice) {
        for (int64 n = threadIdx.x; n < size; n += blockDim.x) third[n] = 0;
        __syncthreads();
        if (threadIdx.x < 32) {
            Real *R_of = third, *sizes = third + p * p;
            const Kept<Real> kept{sizes, R_of, p, threadIdx.x == 0};
            orthonormalise<32, 0, 0, Real>(Row<Real>{rows, d}, kept, d, p);
        }
        __syncthreads();
    }
    // R_mj of the last factorisation times that of the first, whose L is its transpose, columns of unit length.
    const auto last = [=](int64 m, int64 j) {
        return twice ? second[j * p + m] * second[p * p + j] : third[m * p + j];
    };
    const auto before = [=](int64 m, int64 j) { return once ? L[j * p + m] * L[p * p + j] : Real(m == j); };
    for (int64 n = threadIdx.x; n < p * p; n += blockDim.x) {
        const int64 m = n / p, j = n % p;
        if (m == j) logs[b * p + j] += log(last(j, j)) + log(before(j, j));
        if (m > j || R == nullptr) continue;
        Real sum = 0;
        for (int64 l = m; l <= j; ++l) sum += last(m, l) * before(l, j);
        R[n] = sum;
    }
}
