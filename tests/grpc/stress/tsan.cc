// The options of ThreadSanitizer in the stress test's program.
extern "C" {

const char* __tsan_default_options() {
  return "halt_on_error=1 second_deadlock_stack=1 history_size=7";
}

// The package's gRPC and Abseil are not instrumented. ThreadSanitizer does not see how their
// atomics synchronise, but it does intercept their copies and frees. So it must ignore these calls:
//   libgrpc: the threads of its poller and its timers
//   libabsl_graphcycles_internal: the deadlock search of absl::Mutex, under a spin lock
// This ignores nothing of Steer, which is in the program and not in these libraries. The option
// ignore_noninstrumented_modules would be simpler, but it finds none of the planted races.
const char* __tsan_default_suppressions() {
  return "called_from_lib:libgrpc.so\n"
         "called_from_lib:libabsl_graphcycles_internal.so\n";
}

}  // extern "C"
