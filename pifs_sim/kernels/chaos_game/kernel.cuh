// One thread an orbit, its points in registers, a word of k maps at a time; nothing is fused: every bit is the law's.
// Counts are added in memory by atomic integer additions, whose order does not matter.
#include "../device.cuh"

struct Draws {
    uint64 at[4];
};

// Philox 4x32-10 at (number, orbit mod 2^32, orbit / 2^32, 0): two draws of 64 bits or four of 32.
__device__ inline Draws draw(uint64 seed, uint32 number, uint64 orbit, int each) {
    uint32 a = number, b = uint32(orbit), c = uint32(orbit >> 32), d = 0;
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
    if (each == 2) return {{a | uint64(b) << 32, c | uint64(d) << 32, 0, 0}};
    return {{uint64(a) << 32, uint64(b) << 32, uint64(c) << 32, uint64(d) << 32}};
}

template <class Real, int D>
struct Game {
    const Real* __restrict__ matrices;  // (words, k, D, D)
    const Real* __restrict__ offsets;   // (words, k, D)
    const uint64* __restrict__ keep;    // (columns)
    const int64* __restrict__ pair;     // (columns, 2)
    int rest;                           // bits of a draw that do not pick the column
    int each;                           // draws of a block
    int k;

    __device__ inline int64 choose(uint64 draw) const {
        const uint64 column = draw >> rest;
        return pair[2 * column + ((draw & ((uint64(1) << rest) - 1)) >= keep[column])];
    }

    __device__ inline void map(int64 i, const Real (&x)[D], Real (&image)[D]) const {
        for (int r = 0; r < D; ++r) {
            Real total = matrices[(i * D + r) * D] * x[0];
            for (int c = 1; c < D; ++c) total += matrices[(i * D + r) * D + c] * x[c];
            image[r] = total + offsets[i * D + r];
        }
    }

    // visit(x, t) for the point t of every orbit, after the transient.
    template <class Visit>
    __device__ inline void play(const Real* start, uint64 seed, int64 n, int64 orbits, int64 transient, int64 orbit,
                                Visit visit) const {
        Real x[D], image[D];
        for (int r = 0; r < D; ++r) x[r] = image[r] = start[r];
        const int64 steps = transient + (n > orbit ? (n - orbit + orbits - 1) / orbits : 0);
        for (int64 first = 0, blocks = 0; first < steps; ++blocks) {
            const Draws drawn = draw(seed, uint32(blocks), uint64(orbit), each);
#pragma unroll
            for (int g = 0; g < 4; ++g, first += k) {
                if (g == each) break;
                const int64 word = choose(drawn.at[g]) * k;
                for (int j = 0; j < k; ++j) {
                    const bool counts = first + j >= transient && first + j < steps;
                    if (!counts && j < k - 1) continue;  // the last image is the next point
                    map(word + j, x, image);
                    if (counts) visit(image, first + j - transient);
                }
                for (int r = 0; r < D; ++r) x[r] = image[r];
            }
        }
    }
};

// points[width t + o] for the orbits o = 0..width - 1, counted from `first`.
template <class Real, int D>
__global__ void follow(const Real* matrices, const Real* offsets, const uint64* keep, const int64* pair, int rest,
                       int each, int k, const Real* start, uint64 seed, int64 n, int64 orbits, int64 transient,
                       int64 first, int64 width, Real* points) {
    const int64 o = sample();
    if (o >= width) return;
    const Game<Real, D> game{matrices, offsets, keep, pair, rest, each, k};
    game.play(start, seed, n, orbits, transient, first + o, [=](const Real(&x)[D], int64 t) {
        for (int r = 0; r < D; ++r) points[(width * t + o) * D + r] = x[r];
    });
}

// counts of boxes, row by row; the place of a point is found in float64.
template <class Real, int D, bool INSIDE>
__global__ void tally(const Real* matrices, const Real* offsets, const uint64* keep, const int64* pair, int rest,
                      int each, int k, const Real* start, uint64 seed, int64 n, int64 orbits, int64 transient,
                      int64 first, int64 width, const double* low, const double* scale, const int64* bins,
                      uint64* counts) {
    const int64 o = sample();
    if (o >= width) return;
    const Game<Real, D> game{matrices, offsets, keep, pair, rest, each, k};
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
