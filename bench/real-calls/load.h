// The load of a server: calls per second, failures per second, and how full its slots are. These
// are means over the last complete window, because momentary values say little about a server with
// eight slots.
//
// Must not depend on: what a call is, how the load is reported.
#ifndef STEER_GAIN_LOAD_H
#define STEER_GAIN_LOAD_H

#include <chrono>
#include <mutex>
#include <optional>

namespace gain {

class Load {
 public:
  struct Report {
    double qps;
    double eps;
    // Calls in service or queued, per slot. Above 1 if calls wait for a slot.
    double utilization;
  };

  using Seconds = std::chrono::duration<double>;

  Load(int slots, Seconds window) : slots_(slots), window_(window) {}

  void Arrived() {
    const std::lock_guard<std::mutex> lock(mutex_);
    Advance();
    ++present_;
  }

  // A call has ended. Returns the load to report with its answer; nothing before the end of the
  // first window.
  std::optional<Report> Ended(bool failed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Advance();
    --present_;
    ++ended_;
    if (failed) ++failed_;
    return report_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Adds the time since the last event, and ends the window if it is over.
  void Advance() {
    const Clock::time_point now = Clock::now();
    present_seconds_ += present_ * Seconds(now - last_event_).count();
    last_event_ = now;
    const Seconds window = now - window_start_;
    if (window < window_) return;
    report_ = Report{ended_ / window.count(), failed_ / window.count(),
                     present_seconds_ / window.count() / slots_};
    window_start_ = now;
    present_seconds_ = ended_ = failed_ = 0;
  }

  const int slots_;
  const Seconds window_;
  std::mutex mutex_;
  Clock::time_point window_start_ = Clock::now();
  Clock::time_point last_event_ = window_start_;
  int present_ = 0;
  // Sums of the current window.
  double present_seconds_ = 0;
  double ended_ = 0;
  double failed_ = 0;
  std::optional<Report> report_;
};

}  // namespace gain

#endif  // STEER_GAIN_LOAD_H
