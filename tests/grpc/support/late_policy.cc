#include "support/late_policy.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "steer/steer.h"
#include "steer/steer.hpp"

namespace steer_test {
namespace {

std::mutex mutex;
// Guarded by `mutex`.
LateGrants grants;

// Uses one endpoint, the first of the list.
class LatePolicy final : public steer::Policy {
 public:
  explicit LatePolicy(steer::PolicyChannel channel) : channel_(channel) {}

  ~LatePolicy() override {
    const std::lock_guard<std::mutex> lock(mutex);
    ++grants.asked;
    const auto refused = [&](bool granted, const char* what) {
      if (granted) grants.granted.emplace_back(what);
    };
    refused(channel_.Matches(endpoint_, 0), "Matches");
    refused(channel_.NewEndpoint(0) != 0, "NewEndpoint");
    refused(channel_.StartTimer(std::chrono::milliseconds(1)) != 0, "StartTimer");
    refused(channel_.PublishFailure(steer::Code::kUnavailable, "late"), "PublishFailure");
    refused(channel_.Publish(STEER_READY, {endpoint_},
                             [](const steer::Call&) { return steer::Choice::Complete(0); }),
            "Publish");
    channel_.Connect(endpoint_);
    channel_.ResetBackoff(endpoint_);
    channel_.Drop(endpoint_);
    channel_.CancelTimer(1);
    channel_.RequestReresolution();
    channel_.Rebuild();
    refused(channel_.Wake(), "Wake");
    channel_.Log(STEER_LOG_DEBUG, "late");
    refused(channel_.Now().count() == 0, "a clock that stands still");
  }

  steer::Code Update(const steer::Resolved& resolved) override {
    if (endpoint_ == 0 && resolved.endpoints.size() != 0) {
      endpoint_ = channel_.NewEndpoint(0);
      channel_.Connect(endpoint_);
    }
    return steer::Code::kOk;
  }

  void EndpointReport(uint64_t, steer_state state, steer::Code, std::string_view) override {
    if (state == STEER_READY) {
      channel_.Publish(state, {endpoint_},
                       [](const steer::Call&) { return steer::Choice::Complete(0); });
    } else {
      channel_.Publish(state == STEER_TRANSIENT_FAILURE ? STEER_CONNECTING : state);
    }
    if (state == STEER_IDLE) channel_.Connect(endpoint_);
  }

 private:
  const steer::PolicyChannel channel_;
  uint64_t endpoint_ = 0;
};

}  // namespace

void RegisterLatePolicy() {
  const int32_t status = steer::RegisterPolicy(
      steer_api_get(), "late", [](const steer::Json&) { return 0; },
      [](steer::PolicyChannel channel) { return std::make_unique<LatePolicy>(channel); });
  if (status != STEER_OK) std::abort();
}

LateGrants TakeLateGrants() {
  const std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(grants, {});
}

}  // namespace steer_test
