// Custom policies.
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "checks.h"

namespace steer_hpp_test {

// Connects to the first endpoint only.
class FirstOnly final : public steer::Policy, Counted<FirstOnly> {
 public:
  using Alive = Counted<FirstOnly>;
  explicit FirstOnly(steer::PolicyChannel channel) : channel_(channel) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    if (resolved.endpoints.empty()) {
      Drop();
      channel_.PublishFailure(steer::Code::kUnavailable, resolved.config<std::string>());
      return steer::Code::kUnavailable;
    }
    if (endpoint_ != 0 && channel_.Matches(endpoint_, 0)) return steer::Code::kOk;
    Drop();
    channel_.Publish(STEER_CONNECTING);
    endpoint_ = channel_.NewEndpoint(0);
    return steer::Code::kOk;
  }

  void EndpointReport(uint64_t endpoint, steer_state state, steer::Code code,
                      std::string_view message) override {
    if (state == STEER_READY) {
      channel_.Publish(state, {endpoint},
                       [](const steer::Call&) { return steer::Choice::Complete(0); });
    } else if (state == STEER_TRANSIENT_FAILURE) {
      channel_.PublishFailure(code, message);
    } else {
      channel_.Publish(STEER_CONNECTING);
      channel_.Connect(endpoint);
    }
  }

 private:
  void Drop() {
    if (endpoint_ != 0) channel_.Drop(std::exchange(endpoint_, 0));
  }

  steer::PolicyChannel channel_;
  uint64_t endpoint_ = 0;
};

int32_t RegisterFirstOnly(const steer_api* api) {
  return steer::RegisterPolicy(
      api, "first_only", [](const steer::Json& json) { return json["none"].String("none left"); },
      [](steer::PolicyChannel channel) { return std::make_unique<FirstOnly>(channel); });
}

void CheckPolicies() {
  {
    const Kit kit = ChannelOf("first_only", R"({"none": "not one"})", 3);
    size_t counts[3];
    CHECK(steer_testkit_distribution(kit.get(), nullptr, 10, counts) == 0 && counts[0] == 10);
    steer_testkit_report(kit.get(), 0, STEER_TRANSIENT_FAILURE);
    CHECK(steer_testkit_pick_one(kit.get(), nullptr).message == std::string("refused"));
    CHECK(steer_testkit_use(kit.get(), 0) == 14);
    CHECK(kit->state == STEER_TRANSIENT_FAILURE && kit->message == std::string("not one"));
    CHECK(FirstOnly::Alive::alive == 1);
  }
  CHECK(FirstOnly::Alive::alive == 0);
  CHECK(steer_testkit_conformance("first_only", "{}", nullptr) == 0);
}

// Refuses each list with a text. Reads its config as another type.
class Refusing final : public steer::Policy {
 public:
  explicit Refusing(steer::PolicyChannel channel) : channel_(channel) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    CHECK(resolved.FindConfig<int>() == nullptr);
    if (resolved.config<std::string>() == "wrong type") resolved.config<int>();
    return channel_.Refuse(steer::Code::kUnavailable, "zone eu-1 has no backend");
  }
  void EndpointReport(uint64_t, steer_state, steer::Code, std::string_view) override {}

 private:
  steer::PolicyChannel channel_;
};

int32_t RegisterRefusing(const steer_api* api) {
  return steer::RegisterPolicy(
      api, "refusing", [](const steer::Json& json) { return json["how"].String(); },
      [](steer::PolicyChannel channel) { return std::make_unique<Refusing>(channel); });
}

void CheckRefusals() {
  {
    const Kit kit = ChannelOf("refusing");
    steer_update update = {};
    steer_string* message = nullptr;
    int32_t code = 0;
    update.struct_size = sizeof update;
    CHECK(steer_policy_update(kit->policy, &update, &code, &message) == STEER_OK);
    CHECK(code == STEER_CODE_UNAVAILABLE);
    CHECK(steer::TakeString(message) == "zone eu-1 has no backend");
  }
  if (kExceptions) {
    steer_testkit* const kit = steer_testkit_new("refusing", R"({"how": "wrong type"})", nullptr);
    char why[256];
    steer_testkit_use(kit, 1);
    CHECK(steer_testkit_fallen_back(kit, why, sizeof why));
    CHECK(std::string(why).find("Resolved::config<T>: T is not what") != std::string::npos);
    CHECK(steer_testkit_free(kit) == 0);
  }
}

}  // namespace steer_hpp_test
