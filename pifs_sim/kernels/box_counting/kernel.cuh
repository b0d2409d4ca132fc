// Keys: the digits of each point's box in base q, coarsest level first, d digits a level and `together` a word, most
// significant word first. Neighbours among sorted keys that differ first in a digit of level k lie in different boxes
// from that level on. Nothing is fused: the boxes are the law's.
#include "../device.cuh"

// words (W, n); `place` is q^(levels - 1).
__global__ void write_keys(const double* __restrict__ points, const double* __restrict__ origin, double scale,
                           int64 ratio, int64 place, int64 n, int64 d, int64 levels, int64 together, uint64* words) {
    const int64 i = sample();
    if (i >= n) return;
    const double last = double(place) * double(ratio) - 1.0;
    int64 digit = 0;
    uint64 key = 0;
    for (int64 level = 0; level < levels; ++level, place /= ratio) {
        for (int64 j = 0; j < d; ++j) {
            const int64 box = int64(fmin((points[i * d + j] - origin[j]) * scale, last));
            key = key * uint64(ratio) + uint64(box / place % ratio);
            if (++digit % together == 0 || digit == levels * d) {
                words[(digit - 1) / together * n + i] = key;
                key = 0;
            }
        }
    }
}

// counts[k] += neighbours that first differ in a digit of level k - 1; words (W, n) sorted.
__global__ void count_changes(const uint64* __restrict__ words, int64 ratio, int64 n, int64 d, int64 digits,
                              int64 together, uint64* counts) {
    __shared__ uint32 found[64];  // levels + 1 of them at most
    for (int k = threadIdx.x; k < 64; k += blockDim.x) found[k] = 0;
    __syncthreads();
    const int64 i = sample();
    for (int64 first = 0; i + 1 < n && first < digits; first += together) {
        const uint64* word = words + first / together * n + i;
        uint64 a = word[0], b = word[1];
        if (a == b) continue;
        int64 digit = digits - first < together ? digits : first + together;
        for (; a != b; --digit) {
            a /= uint64(ratio);
            b /= uint64(ratio);
        }
        atomicAdd(found + digit / d + 1, 1u);
        break;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < 64; k += blockDim.x)
        if (found[k]) atomicAdd(counts + k, uint64(found[k]));
}
