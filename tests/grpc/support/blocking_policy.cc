// The policy: one child, to which all calls are left that are not dropped.
#include "support/blocking_policy.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "steer/steer.hpp"

namespace steer_test {
namespace {

std::mutex mutex;
// Guarded by `mutex`.
Ends ends;

void Count(const steer::CallEnd& end) {
  const std::lock_guard<std::mutex> lock(mutex);
  ++(!end.finished() ? ends.abandoned : end.ok() ? ends.ok : ends.failed);
}

class Blocking final : public steer::Policy {
 public:
  explicit Blocking(steer::PolicyChannel channel)
      : channel_(channel), child_(channel.NewChild("blocking")) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    return channel_.UpdateChild(child_, resolved.config<steer::ChildConfig>());
  }

  void ChildChanged(uint64_t child) override {
    steer::Wants wants;
    wants.WantHeader("x-block");
    const auto pick = [](const steer::Call& call) {
      if (call.Header("x-block")) return steer::Choice::Drop(steer::Code::kUnavailable, "blocked");
      return steer::Choice::Child(0, Count);
    };
    if (!channel_.PublishChildren({child}, pick, wants)) std::abort();
  }

 private:
  const steer::PolicyChannel channel_;
  const uint64_t child_;
};

}  // namespace

void RegisterBlockingPolicy() {
  const int32_t status = steer::RegisterPolicy(
      steer_api_get(), "blocking",
      [](const steer::Json& json) { return json["childPolicy"].Child(); },
      [](steer::PolicyChannel channel) { return std::make_unique<Blocking>(channel); });
  if (status != STEER_OK) std::abort();
}

Ends TakeEnds() {
  const std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(ends, {});
}

}  // namespace steer_test
