// Timers.
//
// Must not depend on: gRPC's internals. grpc::Alarm is public and the same in every gRPC version,
// while the timers beneath it change.
#ifndef STEER_SHIM_ALARM_H
#define STEER_SHIM_ALARM_H

#include <cstdint>
#include <functional>

namespace steer::shim {

// Calls `work` after `after_ns`, on another thread. Any thread may call this. Returns a function
// that cancels the call; it does nothing if `work` has already begun.
std::function<void()> CallLater(uint64_t after_ns, std::function<void()> work);

}  // namespace steer::shim

#endif  // STEER_SHIM_ALARM_H
