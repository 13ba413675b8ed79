// Part of steer.hpp, which users include: the channel.
#ifndef STEER_CPP_CHANNEL_HPP
#define STEER_CPP_CHANNEL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "steer/cpp/base.hpp"
#include "steer/cpp/metrics.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// The functions of Steer for one channel. A plain pointer, valid as long as the channel's state and
// its pickers, and in the hooks of their calls. Its functions may be called on any thread, unless
// their comments say otherwise.
class Channel {
 public:
  STEER_LOCAL explicit Channel(const steer_channel* channel) : channel_(channel) {}

  // Writes a line to gRPC's log.
  STEER_LOCAL void Log(steer_severity severity, std::string_view message) const {
    detail::engine->log(channel_, severity, ToC(message));
  }
  // The time since an arbitrary moment. Never goes back.
  STEER_LOCAL std::chrono::nanoseconds Now() const {
    return std::chrono::nanoseconds(detail::engine->now(channel_));
  }
  // 64 random bits.
  STEER_LOCAL uint64_t Random() const { return detail::engine->random(channel_); }
  // A random number below `end`, which must not be 0.
  STEER_LOCAL size_t RandomIndex(size_t end) const { return static_cast<size_t>(Random() % end); }

  // Starts a timer and returns its number, which PickerType::Timer receives. 0: it is too late.
  STEER_LOCAL uint64_t StartTimer(std::chrono::nanoseconds after) const {
    const auto count = after.count();
    return detail::engine->timer_start(channel_, count < 0 ? 0 : static_cast<uint64_t>(count));
  }
  // On other threads than that of the functions that PickerType calls for one channel, the timer
  // may expire before this takes effect.
  STEER_LOCAL void CancelTimer(uint64_t timer) const {
    detail::engine->timer_cancel(channel_, timer);
  }
  // Asks all backends for load reports out of band (ORCA), about once in this time. 0: no more. The
  // function of PickerType::OnLoadReport, or Policy::LoadReported, gets them. Backends may send
  // them less often, and those that do not offer such reports send none. gRPC 1.46 has no such
  // reports, and before 1.53 they have the utilizations only. Only within the functions that
  // PickerType calls for one channel, not within its pickers.
  STEER_LOCAL void RequestLoadReports(std::chrono::nanoseconds period) const {
    const auto count = period.count();
    detail::engine->load_reports(channel_, count < 0 ? 0 : static_cast<uint64_t>(count));
  }
  // Asks for a new picker soon, when something other than the backends has changed: one, however
  // many ask for it before. For a policy, as Wake.
  STEER_LOCAL void Rebuild() const { detail::engine->rebuild(channel_); }
  // Leads from any thread, such as the end of a call or a thread of the application, to the
  // function of PickerType::Timer with the number 0, or to Policy::Woken: soon, and once, however
  // many ask for it before. A picker type without a timer's function gets a new picker. Returns
  // false if the channel has ended, or if the host cannot do that.
  STEER_LOCAL bool Wake() const { return detail::engine->wake(channel_) != 0; }

  // Make a series of a custom metric, which the statistics show with this channel's policy. A later
  // call with the same arguments returns another handle of it. These functions take a lock: use
  // them in the functions that make a picker or data, not in picks. If there are as many series as
  // the metric allows, or if a field is out of its range, they return a handle without a series and
  // log the reason. With `error`, they write it there instead.
  STEER_LOCAL Counter NewCounter(const Metric& metric, LabelValues values = {},
                                 std::string* error = nullptr) const {
    return NewSeries<Counter>(detail::engine->counter_new, metric, values, error);
  }
  STEER_LOCAL Gauge NewGauge(const Metric& metric, LabelValues values = {},
                             std::string* error = nullptr) const {
    return NewSeries<Gauge>(detail::engine->gauge_new, metric, values, error);
  }
  STEER_LOCAL Histogram NewHistogram(const Metric& metric, LabelValues values = {},
                                     std::string* error = nullptr) const {
    return NewSeries<Histogram>(detail::engine->histogram_new, metric, values, error);
  }

  const steer_channel* get() const { return channel_; }

 private:
  template <class Handle, class Make>
  STEER_LOCAL Handle NewSeries(Make make, const Metric& metric, LabelValues values,
                               std::string* error) const {
    std::string why;
    const Handle made = detail::NewSeries<Handle>(make, channel_, metric, values, &why);
    if (!made && error == nullptr) Log(STEER_LOG_ERROR, "no custom metric: " + why);
    if (!made && error != nullptr) *error = why;
    return made;
  }

  const steer_channel* channel_;
};

// A channel that can be used longer than the policy and its pickers, for example by a thread of the
// application. After the channel's end, StartTimer, Rebuild and Wake do nothing.
class HeldChannel : public Channel {
 public:
  STEER_LOCAL explicit HeldChannel(Channel channel) : Channel(channel), api_(detail::engine) {
    api_->channel_hold(get());
  }
  STEER_LOCAL HeldChannel(const HeldChannel& other) : Channel(other), api_(other.api_) {
    api_->channel_hold(get());
  }
  HeldChannel& operator=(const HeldChannel&) = delete;
  STEER_LOCAL ~HeldChannel() { api_->channel_release(get()); }

 private:
  const steer_api* api_;
};

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_CHANNEL_HPP
