// Custom policies with children.
#include <memory>
#include <string>
#include <vector>

#include "checks.h"

namespace steer_hpp_test {

int ends_of_children;

// Drops calls with the header "x-block", and counts the ends of the others.
class Blocking final : public steer::Policy, Counted<Blocking> {
 public:
  using Alive = Counted<Blocking>;
  explicit Blocking(steer::PolicyChannel channel)
      : channel_(channel), child_(channel.NewChild("blocking")) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    return channel_.UpdateChild(child_, resolved.config<steer::ChildConfig>());
  }

  void ChildChanged(uint64_t child) override {
    CHECK(child == child_ && channel_.ChildState(child).has_value());
    CHECK(!channel_.ChildState(child + 1).has_value());
    steer::Wants wants;
    wants.WantHeader("x-block");
    const auto pick = [](const steer::Call& call) {
      if (call.Header("x-block")) return steer::Choice::Drop(steer::Code::kUnavailable, "blocked");
      return steer::Choice::Child(0, [](const steer::CallEnd&) { ++ends_of_children; });
    };
    CHECK(!channel_.PublishChildren({child + 1}, pick, wants));
    CHECK(channel_.PublishChildren({child}, pick, wants));
  }

 private:
  const steer::PolicyChannel channel_;
  const uint64_t child_;
};

// Gives its child the first endpoint and the third, and leaves the rest to it.
class OddOnes final : public steer::Policy {
 public:
  explicit OddOnes(steer::PolicyChannel channel)
      : channel_(channel), child_(channel.NewChild("odd")) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    std::vector<size_t> odd;
    std::vector<uint32_t> weights;
    for (size_t i = 0; i < resolved.endpoints.size(); i += 2) {
      odd.push_back(i);
      weights.push_back(static_cast<uint32_t>(i + 2));
    }
    return channel_.UpdateChild(child_, resolved.config<steer::ChildConfig>(), odd, weights);
  }

 private:
  const steer::PolicyChannel channel_;
  const uint64_t child_;
};

template <class Policy>
int32_t RegisterParent(const steer_api* api, const char* name) {
  return steer::RegisterPolicy(
      api, name, [](const steer::Json& json) { return json["childPolicy"].Child(); },
      [](steer::PolicyChannel channel) { return std::make_unique<Policy>(channel); });
}

int32_t RegisterChildren(const steer_api* api) {
  const int32_t status = RegisterParent<Blocking>(api, "blocking");
  return status != STEER_OK ? status : RegisterParent<OddOnes>(api, "odd_ones");
}

void CheckChildren() {
  {
    const Kit kit =
        ChannelOf("blocking", R"({"childPolicy": [{"none": {}}, {"odd_ones": {}}]})", 4);
    size_t counts[4];
    CHECK(steer_testkit_distribution(kit.get(), nullptr, 10, counts) == 0);
    CHECK(counts[0] == 5 && counts[1] == 0 && counts[2] == 5 && counts[3] == 0);
    CHECK(ends_of_children == 10);
    const char* const headers[] = {"x-block", "1", nullptr};
    steer_testkit_call call = {};
    call.headers = headers;
    const steer_testkit_pick blocked = steer_testkit_pick_one(kit.get(), &call);
    CHECK(blocked.kind == STEER_PICK_DROP && blocked.message == std::string("blocked"));
    CHECK(ends_of_children == 10 && Blocking::Alive::alive == 1);
    // A call that the child cannot send has ended at once.
    CHECK(steer_testkit_use(kit.get(), 0) == 14);
    CHECK(steer_testkit_pick_one(kit.get(), nullptr).kind == STEER_PICK_FAIL &&
          ends_of_children == 11);
  }
  CHECK(Blocking::Alive::alive == 0);
  {
    const char* const config = R"({"childPolicy": [{"steer_weighted_round_robin": {}}]})";
    const Kit kit = ChannelOf("odd_ones", config, 3);
    size_t counts[3];
    CHECK(steer_testkit_distribution(kit.get(), nullptr, 60, counts) == 0);
    CHECK(counts[0] == 20 && counts[1] == 0 && counts[2] == 40);
  }
  steer_string* error = nullptr;
  CHECK(steer_testkit_new("blocking", R"({"childPolicy": [{"odd_ones": {"childPolicy": 1}}]})",
                          &error) == nullptr);
  const std::string text = steer::TakeString(error);
  CHECK(text.find("blocking.childPolicy[0].odd_ones.childPolicy ") != std::string::npos);
  CHECK(steer_testkit_conformance("blocking", "{}", nullptr) == 0);
}

}  // namespace steer_hpp_test
