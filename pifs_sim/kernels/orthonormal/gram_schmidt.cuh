// Modified Gram-Schmidt by LANES threads, each with the coordinates of its own; every vector is orthogonalised twice.
#include "../device.cuh"

template <class Real>
struct Rounding;
template <>
struct Rounding<float> {
    static constexpr float eps = 1.1920929e-07f;
    static constexpr int range = 120;  // of exponents whose powers and their inverses are floats
};
template <>
struct Rounding<double> {
    static constexpr double eps = 2.220446049250313e-16;
    static constexpr int range = 1020;
};

// v(j, i), coordinate i of vector j, becomes Q; r.add(m, j, c) and r.set(j, size) are told R above and on the diagonal.
// D and K are d and k where the compiler shall know them, to keep the vectors in registers, or else 0.
template <int LANES, int D, int K, class Real, class Vectors, class Triangle>
__device__ inline void orthonormalise(Vectors v, Triangle r, int64 d, int64 k) {
    [[maybe_unused]] constexpr bool FEW = K > 0 && D * K <= 16;
    const int64 rows = D > 0 ? D : d, columns = D > 0 ? K : k;
#pragma unroll (FEW ? K : 1)
    for (int64 j = 0; j < columns; ++j) {
        Real largest = 0;
#pragma unroll (FEW ? D : 1)
        for (int64 i = lane<LANES>(); i < rows; i += LANES) largest = fmax(largest, fabs(v(j, i)));
        largest = lane_max<LANES>(largest);
        Real scale = 1;  // a power of 2, so that no square leaves the range of floats
        if (largest > Real(0) && isfinite(largest)) {
            int power;
            frexp(largest, &power);
            power = power < -Rounding<Real>::range ? -Rounding<Real>::range : power;
            scale = ldexp(Real(1), power > Rounding<Real>::range ? Rounding<Real>::range : power);
        }
        Real square = 0;
#pragma unroll (FEW ? D : 1)
        for (int64 i = lane<LANES>(); i < rows; i += LANES) {
            v(j, i) /= scale;
            square += v(j, i) * v(j, i);
        }
        const Real rounding = Real(8 * rows) * Rounding<Real>::eps * sqrt(lane_sum<LANES>(square));
        for (int pass = 0; pass < 2; ++pass)
#pragma unroll (FEW ? K : 1)
            for (int64 m = 0; m < j; ++m) {
                Real overlap = 0;
#pragma unroll (FEW ? D : 1)
                for (int64 i = lane<LANES>(); i < rows; i += LANES) overlap += v(m, i) * v(j, i);
                overlap = lane_sum<LANES>(overlap);
#pragma unroll (FEW ? D : 1)
                for (int64 i = lane<LANES>(); i < rows; i += LANES) v(j, i) -= overlap * v(m, i);
                r.add(m, j, overlap * scale);
            }
        square = 0;
#pragma unroll (FEW ? D : 1)
        for (int64 i = lane<LANES>(); i < rows; i += LANES) square += v(j, i) * v(j, i);
        const Real size = sqrt(lane_sum<LANES>(square));
        const bool dead = size <= rounding && isfinite(size);  // nan is not
#pragma unroll (FEW ? D : 1)
        for (int64 i = lane<LANES>(); i < rows; i += LANES) v(j, i) = dead ? Real(0) : v(j, i) / size;
        r.set(j, dead ? Real(0) : size * scale);
    }
}
