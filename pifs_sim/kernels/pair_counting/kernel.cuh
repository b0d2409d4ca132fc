// Every pair: a thread takes a point and a run of others. Counts are kept apart for the 32 lanes of a warp, each lane's in
// a bank of its own. Distances are float64 sums in the order of the axes and nothing is fused: ties are the law's.
#include "../device.cuh"

enum { RADII = 96, RUN = 4096 };  // radii of one launch; other points of a thread's run

// counts[k] += pairs i < j from squares[k - 1] to below squares[k], j - i > theiler; points (d, n), D = d, or 0 for any.
template <int D>
__global__ void count_pairs(const double* __restrict__ points, const double* __restrict__ squares, int64 n, int64 d,
                            int radii, int64 theiler, uint64* counts) {
    __shared__ double limits[RADII];
    __shared__ uint32 found[RADII * 32];
    const int64 rows = (n + THREADS - 1) / THREADS, runs = (n + RUN - 1) / RUN;
    for (int k = threadIdx.x; k < radii; k += THREADS) limits[k] = squares[k];
    for (int64 tile = blockIdx.x; tile < rows * runs; tile += gridDim.x) {
        const int64 row = tile % rows * THREADS, begin = tile / rows * RUN;
        const int64 stop = begin + RUN < n ? begin + RUN : n;
        if (stop - 1 <= row + theiler) continue;  // of no point in the row
        for (int k = threadIdx.x; k < radii * 32; k += THREADS) found[k] = 0;
        __syncthreads();
        const int64 i = row + threadIdx.x;
        double x[D > 0 ? D : 1];
        for (int axis = 0; axis < D; ++axis) x[axis] = points[axis * n + (i < n ? i : 0)];
        for (int64 j = i + theiler + 1 > begin ? i + theiler + 1 : begin; j < stop; ++j) {
            double distance = 0.0;
            if constexpr (D > 0) {
                for (int axis = 0; axis < D; ++axis) {
                    const double difference = points[axis * n + j] - x[axis];
                    distance += difference * difference;
                }
            } else {
                for (int64 axis = 0; axis < d; ++axis) {
                    const double difference = points[axis * n + j] - points[axis * n + i];
                    distance += difference * difference;
                }
            }
            if (distance < limits[radii - 1]) {
                int low = 0;
                for (int high = radii - 1; low < high;) {
                    const int middle = (low + high) / 2;
                    if (distance < limits[middle]) high = middle;
                    else low = middle + 1;
                }
                atomicAdd(found + low * 32 + threadIdx.x % 32, 1u);
            }
        }
        __syncthreads();
        for (int k = threadIdx.x; k < radii; k += THREADS) {
            uint64 sum = 0;
            for (int bank = 0; bank < 32; ++bank) sum += found[k * 32 + (bank + k) % 32];
            if (sum) atomicAdd(counts + k, sum);
        }
        __syncthreads();
    }
}
