// LANES threads a matrix, each with the columns of its own; all of them know every dot product, so they turn together.
#include "../device.cuh"

enum { SWEEPS = 60 };

template <int LANES>
__device__ inline double dot(const double* u, const double* v, int64 d) {
    double sum = 0.0;
    for (int64 m = lane<LANES>(); m < d; m += LANES) sum += u[m] * v[m];
    return lane_sum<LANES>(sum);
}

// logs (batch, d) of the lengths of the rows (batch, d, d) become those of the singular values.
template <int LANES>
__global__ void rotate(double* logs, double* rows, int64 batch, int64 d) {
    const int64 b = sample<LANES>();
    if (b >= batch) return;
    double *s = logs + b * d, *u = rows + b * d * d;
    const double nothing = log(0.0), tolerance = 2.220446049250313e-16 * sqrt(double(d));
    const int me = lane<LANES>();
    for (int64 i = 0; i < d; ++i) {
        const double square = dot<LANES>(u + i * d, u + i * d, d), log_length = s[i];
        const bool live = square > 0.0 && log_length > nothing;
        const double inverse = live ? 1.0 / sqrt(square) : 0.0;
        for (int64 m = me; m < d; m += LANES) u[i * d + m] *= inverse;
        meet<LANES>();
        if (me == 0) s[i] = live ? log_length + 0.5 * log(square) : nothing;
        meet<LANES>();
    }
    for (int sweep = 0; sweep < SWEEPS; ++sweep) {
        double worst = 0.0;
        for (int64 i = 0; i < d; ++i)
            for (int64 j = i + 1; j < d; ++j) {
                const int64 p = s[i] >= s[j] ? i : j, q = i + j - p;
                double *a = u + p * d, *e = u + q * d;
                const double c = dot<LANES>(a, e, d);
                worst = fmax(worst, fabs(c));
                if (fabs(c) <= tolerance) continue;
                const double high = s[p], low = s[q], g2 = exp(2.0 * (low - high)), gap = 1.0 - g2;
                const double tau = 2.0 * c / (gap + sqrt(gap * gap + 4.0 * g2 * c * c));
                const double shrink = 0.5 * log1p(g2 * tau * tau);
                double pp = 0.0, qq = 0.0;
                for (int64 m = me; m < d; m += LANES) {
                    const double first = a[m] + g2 * tau * e[m], second = e[m] - tau * a[m];
                    a[m] = first;
                    e[m] = second;
                    pp += first * first;
                    qq += second * second;
                }
                pp = sqrt(lane_sum<LANES>(pp));
                qq = sqrt(lane_sum<LANES>(qq));
                for (int64 m = me; m < d; m += LANES) {
                    a[m] /= pp;
                    e[m] /= qq;
                }
                if (me == 0) {
                    s[p] = high + (log(pp) - shrink);
                    s[q] = low + (log(qq) - shrink);
                }
                meet<LANES>();
            }
        if (worst <= tolerance) break;
    }
}
