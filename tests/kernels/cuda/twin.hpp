// CUDA's words for a host compiler: a block's threads are fibers that take turns at every meeting point.
#include <math.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)

struct Index {
    unsigned x = 0, y = 0, z = 0;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

namespace twin {

constexpr int MOST = 1024;
constexpr size_t STACK = 1 << 18;
struct Meeting {
    unsigned long arrived = 0, number = 0;
};
static ucontext_t scheduler, fibers[MOST];
static bool ended[MOST];
static unsigned alive, self;
static bool moved;  // whether any fiber got on since the last round
static unsigned long long slots[MOST];
static Meeting whole, groups[MOST];
static void (*body)(void**);
static void** arguments;
#if defined(__SANITIZE_ADDRESS__)
static void *kept, *kept_of[MOST];
static const void* main_stack;
static size_t main_size;
#endif

static char* stack(unsigned t) {
    static char* all = static_cast<char*>(malloc(STACK * MOST));
    return all + STACK * t;
}

static void give_way(bool last = false) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(last ? nullptr : &kept_of[self], main_stack, main_size);
#endif
    const unsigned t = self;
    swapcontext(&fibers[t], &scheduler);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(kept_of[self], nullptr, nullptr);
#endif
    (void)last;
}

static void meet(Meeting& meeting, unsigned count) {
    const unsigned long number = meeting.number;
    if (++meeting.arrived == count) {
        meeting.arrived = 0;
        ++meeting.number;
        moved = true;
    }
    while (meeting.number == number) give_way();
}

static void enter() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &main_stack, &main_size);
#endif
    body(arguments);
    ended[self] = moved = true;
    if (--alive && whole.arrived == alive) {
        whole.arrived = 0;
        ++whole.number;
    }
    give_way(true);
}

static void resume(unsigned t) {
    self = threadIdx.x = t;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&kept, stack(t), STACK);
#endif
    swapcontext(&scheduler, &fibers[t]);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(kept, nullptr, nullptr);
#endif
}

static void block(unsigned threads) {
    alive = threads;
    for (unsigned t = 0; t < threads; ++t) {
        getcontext(&fibers[t]);
        fibers[t].uc_stack.ss_sp = stack(t);
        fibers[t].uc_stack.ss_size = STACK;
        fibers[t].uc_link = nullptr;
        makecontext(&fibers[t], enter, 0);
        ended[t] = false;
        groups[t] = Meeting();
    }
    whole = Meeting();
    for (bool forth = true; alive; forth = !forth) {  // in either order, so that a missing meeting shows
        moved = false;
        for (unsigned i = 0; i < threads; ++i) {
            const unsigned t = forth ? i : threads - 1 - i;
            if (!ended[t]) resume(t);
        }
        if (!moved) {
            fprintf(stderr, "threads wait for others that never come\n");
            abort();
        }
    }
}

template <class Number>
static Number exchanged(unsigned mask, Number value, unsigned from) {
    const unsigned warp = self / 32 * 32;
    Meeting& meeting = groups[warp + __builtin_ctz(mask)];
    memcpy(&slots[self], &value, sizeof value);
    meet(meeting, __builtin_popcount(mask));
    memcpy(&value, &slots[warp + from], sizeof value);
    meet(meeting, __builtin_popcount(mask));
    return value;
}

// A letter and the size of each parameter's type, pointers marked by *.
template <class T>
static void kind(char*& out) {
    using Value = std::remove_cv_t<std::remove_pointer_t<T>>;
    if (std::is_pointer_v<T>) *out++ = '*';
    *out++ = std::is_same_v<Value, bool> ? 'b' : std::is_floating_point_v<Value> ? 'f' : std::is_signed_v<Value> ? 'i' : 'u';
    *out++ = char('0' + sizeof(Value));
}

template <class... Parameters, size_t... I>
static void call(void (*kernel)(Parameters...), void** given, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_reference_t<Parameters>*>(given[I])...);
}

template <auto Kernel, class... Parameters>
static void run(void (*)(Parameters...), unsigned blocks, unsigned threads, void** given, char* kinds) {
    if (kinds) {
        (kind<Parameters>(kinds), ...);
        *kinds = 0;
        return;
    }
    arguments = given;
    body = [](void** values) { call(Kernel, values, std::index_sequence_for<Parameters...>()); };
    blockDim.x = threads;
    gridDim.x = blocks;
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) block(threads);
}

}  // namespace twin

inline void __syncthreads() { twin::meet(twin::whole, twin::alive); }
inline void __syncwarp(unsigned mask) {
    twin::meet(twin::groups[twin::self / 32 * 32 + __builtin_ctz(mask)], __builtin_popcount(mask));
}
template <class Number>
Number __shfl_xor_sync(unsigned mask, Number value, int apart) {
    return twin::exchanged(mask, value, twin::self % 32 ^ apart);
}
template <class Number>
Number __shfl_sync(unsigned mask, Number value, int from) {
    return twin::exchanged(mask, value, from);
}
template <class Number>
Number atomicAdd(Number* place, Number value) {
    const Number before = *place;
    *place = before + value;
    return before;
}
inline int __clzll(long long word) { return word ? __builtin_clzll(word) : 64; }
