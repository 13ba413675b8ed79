// Timers, by gRPC's alarms.
#include "alarm.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace steer::shim {

std::function<void()> CallLater(uint64_t after_ns, std::function<void()> work) {
  // Half of the largest value, because gRPC adds the current time to it.
  constexpr uint64_t kLongest = std::numeric_limits<int64_t>::max() / 2;
  const auto after = static_cast<int64_t>(std::min(after_ns, kLongest));
  auto alarm = std::make_shared<grpc::Alarm>();
  alarm->Set(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(after, GPR_TIMESPAN)),
             [alarm, work = std::move(work)](bool in_time) mutable {
               if (in_time) work();
               // The alarm owns itself until here. gRPC always calls this, after a cancel, too.
               alarm.reset();
             });
  return [alarm] { alarm->Cancel(); };
}

}  // namespace steer::shim
