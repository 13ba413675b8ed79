// Mistakes of users, and their effects.
#include <string>

#include "checks.h"

namespace steer_hpp_test {

int32_t RegisterMistaken(const steer_api* api) {
  return steer::Picker("mistaken")
      .Config([](const steer::Json& json) { return json["how"].String(); })
      .BackendData(
          [](const steer::NotGiven&, const steer::Backend&) { return std::string("mine"); })
      .OnFault(steer::OnFault::kFail, 3)
      .Register(api, [](auto& build) {
        return [how = build.config, backends = build.backends](const steer::Call&) {
          const steer::Backend first = backends[0];
          if (how == "right") {
            CHECK(first.data<std::string>() == "mine" && first.data<const std::string>() == "mine");
            CHECK(*first.FindData<std::string>() == "mine");
            CHECK(first.FindData<int>() == nullptr && first.FindData<const char*>() == nullptr);
          } else if (how == "wrong type") {
            ++first.data<int>();
          } else if (how == "two choices") {
            auto returned = steer::Choice::Fail(steer::Code::kUnavailable, "first");
            const auto other = steer::Choice::Fail(steer::Code::kAborted, "second");
            return returned;
          }
          return steer::Choice::Complete(0);
        };
      });
}

void CheckMistakes() {
  CHECK(steer_testkit_pick_one(ChannelOf("mistaken", R"({"how": "right"})").get(), nullptr).kind ==
        STEER_PICK_COMPLETE);
  {
    const Kit kit = ChannelOf("mistaken", R"({"how": "two choices"})");
    for (int i = 0; i < 40; ++i) {
      const steer_testkit_pick picked = steer_testkit_pick_one(kit.get(), nullptr);
      CHECK(picked.code == 14 && picked.message == std::string("first"));
    }
  }
  if (kExceptions) {
    steer_testkit* const kit = steer_testkit_new("mistaken", R"({"how": "wrong type"})", nullptr);
    char why[256];
    steer_testkit_use(kit, 2);
    steer_testkit_connect_all(kit);
    // Three faults a minute are allowed.
    for (int i = 0; i < 4; ++i) {
      CHECK(!steer_testkit_fallen_back(kit, nullptr, 0));
      CHECK(steer_testkit_pick_one(kit, nullptr).kind == STEER_PICK_FAIL);
      steer_testkit_settle(kit);
    }
    CHECK(steer_testkit_fallen_back(kit, why, sizeof why));
    CHECK(std::string(why).find("Backend::data<T>: T is not what") != std::string::npos);
    // The picker's author chose that all calls fail.
    steer_testkit_connect_all(kit);
    const steer_testkit_pick closed = steer_testkit_pick_one(kit, nullptr);
    CHECK(closed.kind == STEER_PICK_FAIL && closed.code == 13);
    CHECK(steer_testkit_configure(kit, R"({"how": "right"})", nullptr) == STEER_OK);
    steer_testkit_use(kit, 2);
    steer_testkit_connect_all(kit);
    CHECK(!steer_testkit_fallen_back(kit, nullptr, 0));
    CHECK(steer_testkit_pick_one(kit, nullptr).kind == STEER_PICK_COMPLETE);
    CHECK(steer_testkit_free(kit) == 0);
  }
}

}  // namespace steer_hpp_test
