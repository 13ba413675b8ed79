// Custom metrics: values, limits, and handles that outlive their channel.
#include <string>
#include <string_view>

#include "checks.h"

namespace steer_hpp_test {

namespace {

steer::Counter kept;
std::string refusal;

bool StatsHave(std::string_view text) {
  steer_string* json = nullptr;
  if (steer_stats_json(&json) != STEER_OK) return false;
  return steer::TakeString(json).find(text) != std::string::npos;
}

}  // namespace

int32_t RegisterMeasured(const steer_api* api) {
  return steer::Picker("measured")
      .ChannelState([](steer::Channel channel) {
        const steer::Metric picks{"picks_seen", "Picks", {"kind"}, {}, 1};
        kept = channel.NewCounter(picks, {"all"});
        CHECK(!channel.NewCounter(picks, {"too many"}, &refusal));
        CHECK(refusal.find("1 series already") != std::string::npos);
        CHECK(!channel.NewCounter(picks, {}, &refusal));
        CHECK(refusal == "\"picks_seen\" has 1 labels, and got 0 values");
        CHECK(!channel.NewGauge({"Bad name", "", {}}, {}, &refusal));
        CHECK(refusal.find("a name has lower-case letters") != std::string::npos);
        return channel.NewHistogram({"sizes_seen", "Sizes", {}, {1, 2}});
      })
      .Register(api, [](auto& build) {
        return [sizes = build.state](const steer::Call&) {
          kept.Add(2);
          sizes.Record(1.5);
          return steer::Choice::Complete(0);
        };
      });
}

void CheckMetrics() {
  {
    const Kit kit = ChannelOf("measured");
    CHECK(steer_testkit_pick_one(kit.get(), nullptr).kind == STEER_PICK_COMPLETE);
    CHECK(StatsHave(R"("name":"picks_seen","kind":"counter","help":"Picks","series":[)"
                    R"({"labels":{"kind":"all"},"value":2}])"));
    CHECK(StatsHave(R"("count":1,"sum":1.5,"cumulative":[[1.0,0],[2.0,1]])"));
  }
  CHECK(!StatsHave("picks_seen"));
  // It outlives the channel. A handle without a series does nothing.
  kept.Add();
  kept = steer::Counter();
  kept.Add();
  CHECK(!kept);
}

}  // namespace steer_hpp_test
