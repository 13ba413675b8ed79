// A policy that publishes endpoints that are not READY or do not exist, and uses such endpoints.

#include <cstdlib>
#include <memory>
#include <steer/steer.hpp>
#include <vector>

namespace {

class Unready final : public steer::Policy {
 public:
  explicit Unready(steer::PolicyChannel channel) : channel_(channel) {
    // Before the first update there are no endpoints.
    if (channel.NewEndpoint(0) != 0) std::abort();
    channel.Publish(STEER_READY, {}, Pick);
  }

  steer::Code Update(const steer::Resolved& resolved) override {
    if (channel_.NewEndpoint(resolved.endpoints.size()) != 0) std::abort();
    const uint64_t endpoint = channel_.NewEndpoint(0);
    channel_.Connect(endpoint);
    channel_.Connect(endpoint + 1000);
    channel_.Drop(endpoint + 1000);
    if (channel_.Matches(endpoint + 1000, 0)) std::abort();
    if (channel_.Publish(STEER_READY, {endpoint}, Pick)) std::abort();
    if (channel_.Publish(STEER_READY, {0, UINT64_MAX}, Pick)) std::abort();
    if (channel_.Publish(static_cast<steer_state>(17), {}, Pick)) std::abort();
    return steer::Code::kOk;
  }

  // The endpoint is READY, but the choice is out of range.
  void EndpointReport(uint64_t endpoint, steer_state state, steer::Code,
                      std::string_view) override {
    if (state == STEER_READY) channel_.Publish(STEER_READY, {endpoint}, Pick);
  }

 private:
  static steer::Choice Pick(const steer::Call&) { return steer::Choice::Complete(1); }

  steer::PolicyChannel channel_;
};

int32_t Entry(const steer_api* api) {
  return steer::RegisterPolicy(
      api, "unready_policy", [](const steer::Json&) { return steer::NotGiven(); },
      [](steer::PolicyChannel channel) { return std::make_unique<Unready>(channel); });
}

}  // namespace

STEER_PLUGIN(unready_policy_plugin, "unready_policy", "1.0", Entry)
