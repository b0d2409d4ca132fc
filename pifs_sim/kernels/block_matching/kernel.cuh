// A block of threads takes two ranges, a thread two domains at a time, with up to eight isometries: 32 inner products in
// registers, for 18 loads a pixel. Outside of the inner products nothing is fused, so that levels and errors are the law's.
#include "../device.cuh"

enum { RANGES = 2, COLUMNS = 2 };

struct Scale {
    double contrast_step, contrast_most, low, tone_step, tones;
};

struct Fit {
    double error, level, tone;
    int64 key;  // domain G + isometry; -1 for none
};

__device__ inline bool better(double error, int64 key, double than, int64 other) {
    return error < than || (error == than && key < other);
}

// The brightness and the error of a contrast level, as in law.py.
__device__ inline Fit fitted(double A, double B, double P, double Q, double R, double n, double level, int64 key,
                             const Scale& scale) {
    const double s = level * scale.contrast_step, mean = (A - s * B) / n;
    const double tone = fmin(fmax(floor((mean - scale.low) / scale.tone_step + 0.5), 0.0), scale.tones - 1.0);
    const double off = mean - (scale.low + tone * scale.tone_step);
    return {(R - s * (2.0 * P - s * Q)) / n + n * (off * off), level, tone, key};
}

// rows (K, groups, n, G): ranges by isometries; domains (n, C); found (4, K): domain, isometry, levels.
template <int G>
__global__ void match(const double* __restrict__ rows, const double* __restrict__ sums,
                      const double* __restrict__ spreads, const double* __restrict__ domains,
                      const double* __restrict__ domain_sums, const double* __restrict__ domain_spreads,
                      const double* __restrict__ quantisation, int64 K, int64 C, int64 n, int64 isometries,
                      int64* found, double* errors) {
    __shared__ double least[RANGES][THREADS];
    __shared__ int64 keys[RANGES][THREADS];
    const int64 first = int64(blockIdx.x) * RANGES, groups = (isometries + G - 1) / G;
    const int t = threadIdx.x;
    const Scale scale{quantisation[0], quantisation[1], quantisation[2], quantisation[3], quantisation[4]};
    const double pixels = double(n);
    int64 at[RANGES];
    double A[RANGES], R[RANGES];
    Fit best[RANGES];
    for (int r = 0; r < RANGES; ++r) {
        at[r] = first + r < K ? first + r : K - 1;
        A[r] = sums[at[r]];
        R[r] = spreads[at[r]];
        best[r] = fitted(A[r], 0.0, 0.0, 0.0, R[r], pixels, 0.0, -1, scale);
    }
    for (int64 base = t; base < C; base += THREADS * COLUMNS) {
        for (int64 group = 0; group < groups; ++group) {
            double products[RANGES][G][COLUMNS] = {};
            for (int64 a = 0; a < n; ++a) {
                double d[COLUMNS];
                for (int w = 0; w < COLUMNS; ++w) d[w] = base + w * THREADS < C ? domains[a * C + base + w * THREADS] : 0.0;
                for (int r = 0; r < RANGES; ++r)
                    for (int g = 0; g < G; ++g) {
                        const double pixel = rows[((at[r] * groups + group) * n + a) * G + g];
                        for (int w = 0; w < COLUMNS; ++w) products[r][g][w] = fma(pixel, d[w], products[r][g][w]);
                    }
            }
#pragma unroll
            for (int w = 0; w < COLUMNS; ++w) {
                const int64 c = base + w * THREADS;
                const double B = c < C ? domain_sums[c] : 0.0, Q = c < C ? domain_spreads[c] : 0.0;
                const double weight = Q > 0.0 ? 1.0 / (Q * scale.contrast_step) : 0.0;
#pragma unroll
                for (int r = 0; r < RANGES; ++r)
#pragma unroll
                    for (int g = 0; g < G; ++g) {
                        if (group * G + g >= isometries) continue;
                        const double P = pixels * products[r][g][w] - A[r] * B;
                        const double size = fmin(floor(fabs(P) * weight + 0.5), scale.contrast_most);
                        const double s = size * scale.contrast_step, part = R[r] - s * (2.0 * fabs(P) - s * Q);
                        // the error of the brightness is not negative: without it a pair must already be good enough
                        if (size == 0.0 || part >= pixels * best[r].error + 1e-12 * R[r]) continue;
                        const int64 key = c * isometries + group * G + g;
                        const Fit fit = fitted(A[r], B, P, Q, R[r], pixels, copysign(size, P), key, scale);
                        if (better(fit.error, key, best[r].error, best[r].key)) best[r] = fit;
                    }
            }
        }
    }
    for (int r = 0; r < RANGES; ++r) {
        least[r][t] = best[r].error;
        keys[r][t] = best[r].key;
    }
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half)
            for (int r = 0; r < RANGES; ++r)
                if (better(least[r][t + half], keys[r][t + half], least[r][t], keys[r][t])) {
                    least[r][t] = least[r][t + half];
                    keys[r][t] = keys[r][t + half];
                }
    }
    __syncthreads();
    for (int r = 0; r < RANGES; ++r) {
        const bool mine = best[r].key == keys[r][0] && (best[r].key >= 0 || t == 0);
        if (!mine || first + r >= K) continue;
        const int64 key = best[r].key < 0 ? 0 : best[r].key;
        found[at[r]] = key / isometries;
        found[K + at[r]] = key % isometries;
        found[2 * K + at[r]] = int64(best[r].level);
        found[3 * K + at[r]] = int64(best[r].tone);
        errors[at[r]] = best[r].error;
    }
}
