// What is to happen later.
//
// Must not know: gRPC's internals. Alarms are the same in every gRPC while the timers beneath them
// change.
#ifndef STEER_SHIM_ALARM_H
#define STEER_SHIM_ALARM_H

#include <cstdint>
#include <functional>

namespace steer::shim {

// Calls `work` after so long, on another thread. Any thread may ask for it. Returns what takes it
// back, unless it is too late for that.
std::function<void()> CallLater(uint64_t after_ns, std::function<void()> work);

}  // namespace steer::shim

#endif  // STEER_SHIM_ALARM_H
