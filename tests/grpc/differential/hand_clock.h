// gRPC's time on this thread, which passes only when the test says so.
//
// Must not depend on: what reads the time.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_HAND_CLOCK_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_HAND_CLOCK_H_

#include <chrono>
#include <thread>

#include "support/core_generation.h"
#if STEER_TEST_GENERATION == 3
#include "src/core/util/time.h"
#else
#include "src/core/lib/gprpp/time.h"
#include "src/core/lib/iomgr/timer.h"
#endif

namespace steer_testing {

// gRPC 1.49 and earlier have no such sources of time. Needs an ExecCtx below it on the stack.
class HandClock final : public grpc_core::Timestamp::ScopedSource {
 public:
  grpc_core::Timestamp Now() override { return now_; }

  // Lets time pass. Runs those of gRPC's timers that are due then, except timers of an EventEngine:
  // outlier_detection has had one of those since 1.54, see FakeChannel::Advance.
  void Advance(std::chrono::seconds time) {
    now_ = now_ + grpc_core::Duration::Seconds(time.count());
#if STEER_TEST_GENERATION == 2
    // gRPC finds some timers a millisecond too late. Then their callbacks have the right time.
    constexpr grpc_core::Duration kLate = grpc_core::Duration::Milliseconds(2);
    now_ = now_ + kLate;
    // So that the check does not go by when it thought that the next timer is due.
    grpc_timer_consume_kick();
    // gRPC's timer thread may be checking.
    while (grpc_timer_check(nullptr) == GRPC_TIMERS_NOT_CHECKED) std::this_thread::yield();
    now_ = now_ - kLate;
    grpc_core::ExecCtx::Get()->Flush();
#endif
  }

 private:
  // So far ahead of the real time that gRPC's timer thread never finds a timer due.
  grpc_core::Timestamp now_ = previous()->Now() + grpc_core::Duration::Hours(1);
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_HAND_CLOCK_H_
