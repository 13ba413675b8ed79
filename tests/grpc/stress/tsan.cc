// What ThreadSanitizer asks of the stress test.
#include <cstddef>
#include <cstring>

extern "C" {

// rustc's LLVM calls these where GCC leaves memcpy and the like to be intercepted; GCC's runtime
// has only the latter.
void* __tsan_memcpy(void* to, const void* from, size_t size) { return std::memcpy(to, from, size); }
void* __tsan_memmove(void* to, const void* from, size_t size) {
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int byte, size_t size) { return std::memset(to, byte, size); }

const char* __tsan_default_options() {
  return "halt_on_error=1 second_deadlock_stack=1 history_size=7";
}

// The package's gRPC and Abseil are not instrumented: what they synchronise by atomics of their own
// is not seen, so what they copy or free (which is intercepted) must not be looked at while they
// are in it.
//   libgrpc: its poller's and its timers' threads
//   libabsl_graphcycles_internal: absl::Mutex's search for deadlocks, under a spin lock
// Nothing of Steer's is left out by this: it is in the program, and not in these libraries. The
// option ignore_noninstrumented_modules would be simpler, and finds none of the planted races.
const char* __tsan_default_suppressions() {
  return "called_from_lib:libgrpc.so\n"
         "called_from_lib:libabsl_graphcycles_internal.so\n";
}

}  // extern "C"
