// An EventEngine whose work waits until RunAll() is called. From 1.71 on, gRPC's work serializers
// run everything on their EventEngine. With this one a test knows when nothing is left to do, and
// everything runs on the test's thread. Timers fire only in Advance(), and there is no network.
//
// Must not depend on: what it runs.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_HAND_ENGINE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_HAND_ENGINE_H_

#include <grpc/event_engine/event_engine.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace steer_testing {

class HandEngine final : public grpc_event_engine::experimental::EventEngine {
 public:
  // Runs all work, and the work that it adds. Returns whether there was any.
  bool RunAll() {
    bool ran = false;
    while (absl::AnyInvocable<void()> closure = Next()) {
      closure();
      ran = true;
    }
    return ran;
  }

  // Lets time pass for the timers. Runs those that are due, in the order in which they were made.
  void Advance(Duration time) {
    now_ += time;
    const auto is_due = [this](const auto& timer) { return timer.second.due <= now_; };
    for (;;) {
      const auto due = std::find_if(timers_.begin(), timers_.end(), is_due);
      if (due == timers_.end()) return;
      absl::AnyInvocable<void()> closure = std::move(due->second.closure);
      timers_.erase(due);
      closure();
    }
  }

  void Run(Closure* closure) override {
    Run([closure] { closure->Run(); });
  }
  // Any thread, because Steer's timers run on threads of gRPC's.
  void Run(absl::AnyInvocable<void()> closure) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(closure));
  }

  TaskHandle RunAfter(Duration when, Closure* closure) override {
    return AddTimer(when, [closure] { closure->Run(); });
  }
  TaskHandle RunAfter(Duration when, absl::AnyInvocable<void()> closure) override {
    return AddTimer(when, std::move(closure));
  }
  bool Cancel(TaskHandle handle) override { return timers_.erase(handle.keys[0]) != 0; }

  bool IsWorkerThread() override { return false; }
  absl::StatusOr<std::unique_ptr<Listener>> CreateListener(
      Listener::AcceptCallback, absl::AnyInvocable<void(absl::Status)>,
      const grpc_event_engine::experimental::EndpointConfig&,
      std::unique_ptr<grpc_event_engine::experimental::MemoryAllocatorFactory>) override {
    return absl::UnimplementedError("no network");
  }
  ConnectionHandle Connect(OnConnectCallback, const ResolvedAddress&,
                           const grpc_event_engine::experimental::EndpointConfig&,
                           grpc_event_engine::experimental::MemoryAllocator, Duration) override {
    return {{-1, -1}};  // none
  }
  bool CancelConnect(ConnectionHandle) override { return false; }
  // The type differs between gRPC versions.
  decltype(std::declval<EventEngine&>().GetDNSResolver({})) GetDNSResolver(
      const DNSResolver::ResolverOptions&) override {
    return nullptr;
  }

 private:
  struct Timer {
    Duration due;
    absl::AnyInvocable<void()> closure;
  };

  // Empty: nothing is waiting.
  absl::AnyInvocable<void()> Next() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (waiting_.empty()) return nullptr;
    absl::AnyInvocable<void()> closure = std::move(waiting_.front());
    waiting_.pop_front();
    return closure;
  }

  TaskHandle AddTimer(Duration when, absl::AnyInvocable<void()> closure) {
    const intptr_t number = next_timer_++;
    timers_.emplace(number, Timer{now_ + when, std::move(closure)});
    return TaskHandle{{number, 0}};
  }

  std::mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> waiting_;
  Duration now_{0};
  std::map<intptr_t, Timer> timers_;
  intptr_t next_timer_ = 1;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_HAND_ENGINE_H_
