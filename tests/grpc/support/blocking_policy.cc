// The policy: one child, to which all calls are left that are not dropped.
#include "support/blocking_policy.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "steer/steer.hpp"

namespace steer_test {
namespace {

std::mutex ends_mutex;
// Guarded by `ends_mutex`.
BlockingEnds blocking_ends;

void CountEnd(const steer::CallEnd& end) {
  const std::lock_guard<std::mutex> lock(ends_mutex);
  ++(!end.finished() ? blocking_ends.abandoned
     : end.ok()      ? blocking_ends.ok
                     : blocking_ends.failed);
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
      return steer::Choice::Child(0, CountEnd);
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

BlockingEnds TakeBlockingEnds() {
  const std::lock_guard<std::mutex> lock(ends_mutex);
  return std::exchange(blocking_ends, {});
}

}  // namespace steer_test
