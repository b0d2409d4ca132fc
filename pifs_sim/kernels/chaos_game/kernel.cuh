// One thread an orbit: its words, maps and points in registers; nothing is fused, so that every bit is the law's.
// Counts are added in memory by atomic integer additions, whose order does not matter.
#include "../device.cuh"

struct Words {
    uint32 at[4];
};

// Philox 4x32-10 at (group, orbit mod 2^32, orbit / 2^32, 0).
__device__ inline Words draw(uint64 seed, uint32 group, uint64 orbit) {
    uint32 a = group, b = uint32(orbit), c = uint32(orbit >> 32), d = 0;
    uint32 k = uint32(seed), m = uint32(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint64 p = uint64(a) * 0xD2511F53u, q = uint64(c) * 0xCD9E8D57u;
        a = uint32(q >> 32) ^ b ^ k;
        b = uint32(q);
        c = uint32(p >> 32) ^ d ^ m;
        d = uint32(p);
        k += 0x9E3779B9u;
        m += 0xBB67AE85u;
    }
    return {{a, b, c, d}};
}

// How many of the cuts are at most the word.
__device__ inline int choose(const uint32* __restrict__ cuts, int count, uint32 word) {
    int low = 0;
    if (count <= 32) {
        for (int i = 0; i < count; ++i) low += cuts[i] <= word;
        return low;
    }
    for (int high = count; low < high;) {
        const int middle = (low + high) / 2;
        if (cuts[middle] <= word) low = middle + 1;
        else high = middle;
    }
    return low;
}

template <class Real, int D>
struct Game {
    const Real* __restrict__ matrices;  // (M, D, D)
    const Real* __restrict__ offsets;   // (M, D)
    const uint32* __restrict__ cuts;    // (M - 1)
    int count;                          // M - 1

    __device__ inline void advance(Real (&x)[D], uint32 word) const {
        const int64 i = choose(cuts, count, word);
        Real image[D];
        for (int r = 0; r < D; ++r) {
            Real total = matrices[(i * D + r) * D] * x[0];
            for (int c = 1; c < D; ++c) total += matrices[(i * D + r) * D + c] * x[c];
            image[r] = total + offsets[i * D + r];
        }
        for (int r = 0; r < D; ++r) x[r] = image[r];
    }

    // visit(x, t) for the point t of every orbit, after the transient.
    template <class Visit>
    __device__ inline void play(const Real* start, uint64 seed, int64 n, int64 orbits, int64 transient, int64 orbit,
                                Visit visit) const {
        Real x[D];
        for (int r = 0; r < D; ++r) x[r] = start[r];
        const int64 steps = transient + (n > orbit ? (n - orbit + orbits - 1) / orbits : 0);
        for (int64 first = 0; first < steps; first += 4) {
            const Words words = draw(seed, uint32(first / 4), uint64(orbit));
#pragma unroll
            for (int w = 0; w < 4; ++w) {
                if (first + w >= steps) break;
                advance(x, words.at[w]);
                if (first + w >= transient) visit(x, first + w - transient);
            }
        }
    }
};

// points[width t + o] for the orbits o = 0..width - 1, counted from `first`.
template <class Real, int D>
__global__ void follow(const Real* matrices, const Real* offsets, const uint32* cuts, int count, const Real* start,
                       uint64 seed, int64 n, int64 orbits, int64 transient, int64 first, int64 width, Real* points) {
    const int64 o = sample();
    if (o >= width) return;
    const Game<Real, D> game{matrices, offsets, cuts, count};
    game.play(start, seed, n, orbits, transient, first + o, [=](const Real(&x)[D], int64 t) {
        for (int r = 0; r < D; ++r) points[(width * t + o) * D + r] = x[r];
    });
}

// counts of boxes, row by row; the place of a point is found in float64.
template <class Real, int D, bool INSIDE>
__global__ void tally(const Real* matrices, const Real* offsets, const uint32* cuts, int count, const Real* start,
                      uint64 seed, int64 n, int64 orbits, int64 transient, int64 first, int64 width, const double* low,
                      const double* scale, const int64* bins, uint64* counts) {
    const int64 o = sample();
    if (o >= width) return;
    const Game<Real, D> game{matrices, offsets, cuts, count};
    game.play(start, seed, n, orbits, transient, first + o, [=](const Real(&x)[D], int64) {
        int64 box = 0;
        bool within = true;
        for (int r = 0; r < D; ++r) {
            const double q = (double(x[r]) - low[r]) * scale[r];
            if (!INSIDE) within = within && q >= 0.0 && q <= double(bins[r]);
            box = box * bins[r] + int64(fmin(fmax(q, 0.0), double(bins[r] - 1)));
        }
        if (within) atomicAdd(counts + box, uint64(1));
    });
}
