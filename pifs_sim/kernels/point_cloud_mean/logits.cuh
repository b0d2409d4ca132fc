// Points against a sample that LANES threads share: each has every LANES-th coordinate, COLUMNS of them in registers,
// or, where COLUMNS is 0, as many as there are, in memory. All arithmetic is in float64, whatever the points are.
#include "../device.cuh"

enum { TILE = 4 };  // points whose logits are made at once
enum { FACTS = 3 };  // of an angle: near, far and 2 v
constexpr double LOWEST = -1.7976931348623157e308;

template <int LANES, int COLUMNS>
__device__ inline int64 columns(int64 d) {
    return COLUMNS > 0 ? COLUMNS : (d - lane<LANES>() + LANES - 1) / LANES;
}

// Coordinates of one vector, `stride` apart in memory; 0 beyond the last.
template <class Real, int LANES, int COLUMNS>
struct Held {
    double values[COLUMNS > 0 ? COLUMNS : 1];
    const Real* memory;
    int64 stride;
    __device__ inline Held(const Real* from, int64 d, int64 apart) : memory(from), stride(apart) {
        if constexpr (COLUMNS > 0) {
#pragma unroll
            for (int j = 0; j < COLUMNS; ++j) {
                const int64 i = lane<LANES>() + int64(j) * LANES;
                values[j] = i < d ? double(from[i * apart]) : 0.0;
            }
        }
    }
    __device__ inline double operator()(int64 j) const {
        if constexpr (COLUMNS > 0) return values[j];
        return double(memory[(lane<LANES>() + j * LANES) * stride]);
    }
};

// Coordinate j of this lane.
template <class Real, int LANES, int COLUMNS>
__device__ inline double coordinate(const Real* point, int64 j, int64 d) {
    const int64 i = lane<LANES>() + j * LANES;
    if constexpr (COLUMNS > 0)
        if (i >= d) return 0.0;
    return double(point[i]);
}

// 2 v times the logit of point k: 2 v ln w - |x - near y - far y|^2; LOWEST where there is no such point.
template <class Real, int LANES, int COLUMNS>
__device__ inline double lead(const Held<Real, LANES, COLUMNS>& x, const Real* points, const double* prior,
                              const double* facts, int64 k, int64 count, int64 d) {
    if (k >= count) return LOWEST;
    const Real* point = points + k * d;
    double square = 0.0;
#pragma unroll (COLUMNS > 0 ? COLUMNS : 1)
    for (int64 j = 0; j < columns<LANES, COLUMNS>(d); ++j) {
        const double y = coordinate<Real, LANES, COLUMNS>(point, j, d);
        const double e = (x(j) - facts[0] * y) - facts[1] * y;
        square += e * e;
    }
    return prior[k] * facts[2] - lane_sum<LANES>(square);
}
