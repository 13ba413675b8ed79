// What the statistics show of custom pickers, on real channels: their metrics, and the calls that
// they follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <memory>
#include <string>
#include <vector>

#include "steer/steer.hpp"
#include "support/backend.h"
#include "support/client.h"
#include "support/measuring_picker.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Metrics of the C ABI, which a scripted picker makes for its first picker.
struct Metrics {
  ~Metrics() {
    steer_counter_release(calls);
    steer_gauge_release(backends);
  }

  void Make(const steer_channel* channel, size_t count) {
    if (calls == nullptr) {
      static const steer_str kLabels[] = {STEER_TEXT_INIT("method")};
      steer_custom_metric metric = {};
      metric.struct_size = sizeof metric;
      metric.name = steer::ToC("calls");
      metric.help = steer::ToC("Calls by method");
      metric.labels = kLabels;
      metric.label_count = 1;
      metric.most_series = 1;
      const steer_str echo = STEER_TEXT("echo");
      const steer_str other = STEER_TEXT("other");
      steer_counter* refused = nullptr;
      EXPECT_EQ(Api().counter_new(channel, &metric, &echo, &calls), STEER_OK);
      EXPECT_EQ(Api().counter_new(channel, &metric, &other, &refused), STEER_TOO_MANY);
      EXPECT_THAT(steer::FromC(Api().last_error()), HasSubstr("1 series already"));
      metric.name = steer::ToC("ready_backends");
      metric.label_count = 0;
      EXPECT_EQ(Api().gauge_new(channel, &metric, nullptr, &backends), STEER_OK);
    }
    steer_gauge_set(backends, static_cast<double>(count));
  }

  steer_counter* calls = nullptr;
  steer_gauge* backends = nullptr;
};

TEST(CustomMetrics, AreInTheStatistics) {
  Script& script = Script::New();
  const auto metrics = std::make_shared<Metrics>();
  script.made = [metrics](const steer_channel* channel, const steer_backends& backends) {
    metrics->Make(channel, backends.count);
  };
  script.pick = [metrics](const steer_backends&, const steer_call*) {
    steer_counter_add(metrics->calls, 1);
    return Complete(0);
  };
  Backends backends(2);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
  Load load(channel, 4);
  EXPECT_TRUE(load.WaitForCalls(1000));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
  // A call that waits for a new picker, or that is tried again, is picked more than once.
  const std::string json = steer::StatsJson();
  EXPECT_THAT(json, HasSubstr(R"({"name":"calls","kind":"counter","help":"Calls by method",)"
                              R"("series":[{"labels":{"method":"echo"},"value":)"));
  const std::string prometheus = steer::StatsPrometheus();
  EXPECT_THAT(prometheus, HasSubstr("# TYPE steer_custom_calls counter\n"));
  const std::string sample = R"(policy="scripted",method="echo"} )";
  const size_t at = prometheus.find(sample);
  ASSERT_NE(at, std::string::npos) << prometheus;
  EXPECT_GE(std::stoll(prometheus.substr(at + sample.size())), load.calls());
  EXPECT_TRUE(WaitUntil([] {
    return steer::StatsPrometheus().find(R"(policy="scripted"} 2)") != std::string::npos;
  })) << prometheus;
}

TEST(CustomMetrics, OfAPickerInCpp) {
  Backend backend;
  const auto channel =
      MakeChannel(StaticTarget({backend.port()}), R"({"loadBalancingConfig":[{"measuring":{}}]})");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Call(channel).status.ok());
  const auto shows = [](const std::string& text) {
    return WaitUntil([&] { return steer::StatsPrometheus().find(text) != std::string::npos; });
  };
  const std::string address = "ipv4:127.0.0.1:" + std::to_string(backend.port());
  EXPECT_TRUE(shows(R"(policy="measuring",backend=")" + address + R"(",outcome="ok"} 5)"))
      << steer::StatsPrometheus();
  EXPECT_TRUE(shows("steer_custom_call_seconds_count{")) << steer::StatsPrometheus();
  EXPECT_TRUE(shows(R"(policy="measuring"} 0)")) << steer::StatsPrometheus();
  EXPECT_TRUE(shows(R"(steer_custom_measuring_channels_total{plugin="measuring"} )"));
}

TEST(CustomMetrics, FollowedCallsAreCounted) {
  Script& script = TrackingScript();
  Backend backend;
  const std::string target = StaticTarget({backend.port()});
  const auto channel = MakeChannel(target, script.ServiceConfig());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Call(channel).status.ok());
  CallOptions failing;
  failing.metadata = {{"fail-with", "14 not now"}};
  EXPECT_FALSE(Call(channel, failing).status.ok());
  ExpectAllEnded(script);
  const std::string stats = steer::StatsJson();
  const size_t begin = stats.find(target);
  ASSERT_NE(begin, std::string::npos) << stats;
  const std::string own = stats.substr(begin, stats.find("\"target\"", begin) - begin);
  EXPECT_THAT(own, HasSubstr(R"("calls_tracked":true)"));
  EXPECT_THAT(own,
              HasSubstr(R"("picks":4,"in_flight":0,"abandoned":0,)"
                        R"("finished":{"OK":3,"UNAVAILABLE":1},"latency_seconds":{"count":4,)"));
}

TEST(CustomMetrics, CallsThatNobodyFollowsAreNotCounted) {
  Script& script = Script::New();
  Backend backend;
  const std::string target = StaticTarget({backend.port()});
  const auto channel = MakeChannel(target, script.ServiceConfig());
  ASSERT_TRUE(Call(channel).status.ok());
  const std::string stats = steer::StatsJson();
  const size_t begin = stats.find(target);
  ASSERT_NE(begin, std::string::npos) << stats;
  const std::string own = stats.substr(begin, stats.find("\"target\"", begin) - begin);
  EXPECT_THAT(own, HasSubstr(R"("calls_tracked":false)"));
  EXPECT_THAT(own, Not(HasSubstr(R"("picks")")));
}

}  // namespace
}  // namespace steer_test
