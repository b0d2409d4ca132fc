// Words that all kernels share: wide integers, the number of a thread, and sums over lanes that share a sample.
#pragma once

using int64 = long long;
using uint64 = unsigned long long;
using uint32 = unsigned int;

enum { THREADS = 128 };  // of a block: device.py launches so many

// The sample that a group of LANES threads works on.
template <int LANES = 1>
__device__ inline int64 sample() {
    return (int64(blockIdx.x) * blockDim.x + threadIdx.x) / LANES;
}

template <int LANES>
__device__ inline int lane() {
    return LANES == 1 ? 0 : int(threadIdx.x % LANES);
}

// The lanes of this group among the 32 of its warp: groups of one warp may be at different places.
template <int LANES>
__device__ inline uint32 group() {
    return (0xFFFFFFFFu >> (32 - LANES)) << (threadIdx.x % 32 / LANES * LANES);
}

// What every lane of the group has written to memory is seen by all of them.
template <int LANES>
__device__ inline void meet() {
    if constexpr (LANES > 1) __syncwarp(group<LANES>());
}

// The same bits in every lane: each level adds the same two numbers in either order.
template <int LANES, class Number>
__device__ inline Number lane_sum(Number value) {
    if constexpr (LANES > 1)
        for (int apart = LANES / 2; apart > 0; apart /= 2) value += __shfl_xor_sync(group<LANES>(), value, apart);
    return value;
}

template <int LANES, class Number>
__device__ inline Number lane_max(Number value) {
    if constexpr (LANES > 1)
        for (int apart = LANES / 2; apart > 0; apart /= 2) {
            const Number other = __shfl_xor_sync(group<LANES>(), value, apart);
            value = other > value ? other : value;
        }
    return value;
}
