// A component of a mixture in one step.
#include "../device.cuh"

// Rows of `tables.narrow`: near (2 d + m + 1) holds both parts of the centre, -log2(e)/(2 N H) (m numbers) and the
// prior in units of 1/H; mixing (m + d) holds alpha (m) and gamma mu. AXES: m = d, or else 1.
template <class Real, bool AXES>
struct Component {
    const Real *__restrict__ near, *__restrict__ mixing;
    int64 d;

    __device__ inline Component(const Real* nears, const Real* mixings, int64 d, int64 number)
        : near(nears + number * (2 * d + m(d) + 1)), mixing(mixings + number * (m(d) + d)), d(d) {}
    static __device__ inline int64 m(int64 d) { return AXES ? d : 1; }
    __device__ inline Real apart(Real x, int64 i) const { return (x - near[i]) - near[d + i]; }
    __device__ inline Real sharp(int64 i) const { return near[2 * d + (AXES ? i : 0)]; }
    __device__ inline Real prior() const { return near[2 * d + m(d)]; }
    __device__ inline Real along(int64 i) const { return mixing[AXES ? i : 0]; }
    __device__ inline Real onto(int64 i) const { return mixing[m(d) + i]; }

    // The logit, of the squares that this thread and the others of its group have added up.
    template <int LANES>
    __device__ inline Real logit(Real squares) const {
        squares = lane_sum<LANES>(squares);
        return AXES ? prior() + squares : prior() + sharp(0) * squares;
    }
    __device__ inline Real square(Real x, int64 i) const {
        const Real e = apart(x, i);
        return AXES ? e * e * sharp(i) : e * e;
    }
};
