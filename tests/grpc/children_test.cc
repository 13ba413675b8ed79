// Policies with children, with real servers: each with each child, and what each is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <future>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/backend.h"
#include "support/blocking_policy.h"
#include "support/client.h"
#include "support/resolver_feed.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

namespace steer_test {
namespace {

constexpr const char* kParents[] = {"steer_subset", "steer_priority", "steer_locality",
                                    "steer_slow_start", "blocking"};

std::string Address(int port) { return "127.0.0.1:" + std::to_string(port); }

// The field childPolicy with this policy.
std::string Child(const std::string& policy, const std::string& config = "{}") {
  return R"("childPolicy":[{")" + policy + R"(":)" + config + "}]";
}

// The field attributes that puts each of these ports into this zone.
std::string Zones(const std::vector<std::pair<int, std::string>>& zones) {
  std::string fields;
  for (const auto& [port, zone] : zones) {
    fields += (fields.empty() ? "\"" : ",\"") + Address(port) + R"(":{"zone":")" + zone + "\"}";
  }
  return R"("attributes":{)" + fields + "}";
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::vector<int>& ports, const std::string& policy,
                                         const std::string& fields) {
  return MakeChannel(StaticTarget(ports), ServiceConfig(policy, "{" + fields + "}"));
}

// The ports that answer calls.
std::set<int> Answering(const std::shared_ptr<grpc::Channel>& channel, int calls = 40) {
  std::set<int> ports;
  for (int call = 0; call < calls; ++call) {
    CallOptions options;
    options.metadata = {{"key", std::to_string(call)}};
    const CallResult result = Call(channel, options);
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
    ports.insert(result.port);
  }
  return ports;
}

// --- Each with each ---

class Combination : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  static std::string parent() { return std::get<0>(GetParam()); }
  // The child hashes a header, and does not hold a backend's death against it for long.
  static std::string child() {
    return Child(std::get<1>(GetParam()),
                 R"({"requestHashHeader":"key","failureCodes":["DATA_LOSS"],"decayTime":"0.1s"})");
  }
};
INSTANTIATE_TEST_SUITE_P(
    Policies, Combination,
    testing::Combine(testing::ValuesIn(kParents),
                     testing::Values("steer_round_robin", "steer_random",
                                     "steer_weighted_round_robin", "steer_least_request",
                                     "steer_peak_ewma", "steer_prequal", "steer_ring_hash",
                                     "steer_maglev", "steer_subset", "steer_priority",
                                     "steer_locality", "steer_slow_start", "blocking")),
    [](const auto& info) {
      return std::string(std::get<0>(info.param)) + "_above_" + std::get<1>(info.param);
    });

// Calls go to all backends, through a backend that dies and comes back, and a list that grows.
TEST_P(Combination, CarriesCalls) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  ResolverFeed feed;
  feed.FeedPorts({ports[0], ports[1]});
  const auto channel = MakeChannel(feed.target(), ServiceConfig(parent(), "{" + child() + "}"));
  const std::vector<int> both = {ports[0], ports[1]};
  ASSERT_TRUE(WaitForAnswers(channel, both));
  backends[1].Kill();
  ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 20) == Counts{{ports[0], 20}}; }));
  backends[1].Start();
  ASSERT_TRUE(WaitForAnswers(channel, both));
  EXPECT_TRUE(feed.FeedPorts(ports).get().ok());
  EXPECT_TRUE(WaitForAnswers(channel, ports));
}

// --- A custom policy with a child ---

TEST(CustomParent, DropsCallsAndFollowsThoseOfItsChild) {
  Backends backends(2);
  const auto channel = ChannelTo(backends.ports(), "blocking", Child("steer_least_request"));
  ASSERT_TRUE(WaitForAnswers(channel, backends.ports()));
  TakeBlockingEnds();
  for (int call = 0; call < 10; ++call) EXPECT_TRUE(Call(channel).status.ok());
  CallOptions blocked;
  blocked.wait_for_ready = true;
  blocked.metadata = {{"x-block", "1"}};
  const CallResult result = Call(channel, blocked);
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(result.status.error_message(), "blocked");
  int ok = 0;
  EXPECT_TRUE(WaitUntil([&] { return (ok += TakeBlockingEnds().ok) == 10; }));
}

TEST(CustomParent, OutlivesAChildThatFails) {
  Script& script = Script::New();
  script.pick = [](const steer_backends&, const steer_call*) {
    return Api().fault(STEER_TEXT("broken"));
  };
  Backends backends(2);
  const auto channel =
      ChannelTo(backends.ports(), "blocking", R"("childPolicy":[)" + script.Entry() + "]");
  ASSERT_TRUE(WaitUntil([&] { return Call(channel).status.ok(); }));
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
  CallOptions blocked;
  blocked.metadata = {{"x-block", "1"}};
  EXPECT_EQ(Call(channel, blocked).status.error_message(), "blocked");
}

TEST(CustomParent, SwitchesItsChildWithoutAFailedCall) {
  Backends backends(3);
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = backends.ports();
  const auto config = [](const char* child) {
    return ServiceConfig("blocking", "{" + Child(child) + "}");
  };
  result.service_config = config("steer_round_robin");
  feed.Feed(result);
  const auto channel = MakeChannel(feed.target(), "");
  ASSERT_TRUE(WaitForAnswers(channel, backends.ports()));
  Load load(channel, 2);
  for (const char* child : {"steer_random", "steer_peak_ewma", "steer_subset"}) {
    result.service_config = config(child);
    feed.Feed(result);
    EXPECT_TRUE(load.WaitForCalls(200)) << child;
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

// --- What each is for ---

TEST(Subset, ConnectsToAPartOfTheBackends) {
  Backends backends(6);
  std::set<int> used_by_any;
  for (int client = 0; client < 3; ++client) {
    const auto channel =
        ChannelTo(backends.ports(), "steer_subset",
                  R"("subsetSize":2,"clientCount":3,"clientIndex":)" + std::to_string(client));
    ASSERT_TRUE(WaitUntil([&] { return Answering(channel).size() == 2; }));
    const std::set<int> used = Answering(channel, 100);
    EXPECT_EQ(used.size(), 2u);
    used_by_any.insert(used.begin(), used.end());
  }
  EXPECT_EQ(used_by_any.size(), 6u) << "three clients of two backends each cover six";
}

TEST(Priority, FailsOverAndBack) {
  Backends backends(4);
  const std::vector<int> ports = backends.ports();
  const std::string groups = R"("groups":[[")" + Address(ports[0]) + R"(",")" + Address(ports[1]) +
                             R"("],[")" + Address(ports[2]) + R"(",")" + Address(ports[3]) +
                             R"("]])";
  const auto channel = ChannelTo(ports, "steer_priority", groups);
  const std::set<int> first = {ports[0], ports[1]};
  const std::set<int> second = {ports[2], ports[3]};
  ASSERT_TRUE(WaitUntil([&] { return Answering(channel) == first; }));
  backends[0].Kill();
  ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 20) == Counts{{ports[1], 20}}; }));
  backends[1].Kill();
  ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 20).count(0) == 0; }));
  EXPECT_EQ(Answering(channel), second);
  backends[1].Start();
  ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 20) == Counts{{ports[1], 20}}; }));
  backends[0].Start();
  ASSERT_TRUE(WaitUntil([&] { return Answering(channel) == first; }));
}

TEST(Priority, PassesOverAGroupThatDoesNotConnect) {
  const MuteListener mute;
  const Backend backend;
  const std::string groups = R"("failoverTimeout":"0.5s","groups":[[")" + Address(mute.port()) +
                             R"("],[")" + Address(backend.port()) + R"("]])";
  const auto channel = ChannelTo({mute.port(), backend.port()}, "steer_priority", groups);
  EXPECT_EQ(Answering(channel, 5), std::set<int>{backend.port()});
}

TEST(Locality, KeepsCallsInTheOwnZoneWhileItCanServeThem) {
  Backends backends(4);
  const std::vector<int> ports = backends.ports();
  const std::string zones =
      R"("zone":"here",)" +
      Zones({{ports[0], "here"}, {ports[1], "here"}, {ports[2], "there"}, {ports[3], "there"}});
  const auto channel = ChannelTo(ports, "steer_locality", zones);
  const std::set<int> here = {ports[0], ports[1]};
  ASSERT_TRUE(WaitUntil([&] { return Answering(channel) == here; }));
  EXPECT_EQ(Answering(channel, 200), here);
  // Half of the zone serves 70 % of the calls.
  backends[0].Kill();
  ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 100).count(ports[2]) == 1; }));
  const Counts counts = CountCalls(channel, 1000);
  EXPECT_NEAR(counts.at(ports[1]), 700, 80);
  EXPECT_NEAR(counts.at(ports[2]), counts.at(ports[3]), 2);
}

TEST(SlowStart, SparesABackendThatHasJustConnected) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  ResolverFeed feed;
  feed.FeedPorts({ports[0], ports[1]});
  const std::string fields = R"("slowStartWindow":"1000s","minWeightPercent":5)";
  for (const char* child : {"steer_round_robin", "steer_least_request"}) {
    const auto channel = MakeChannel(
        feed.target(), ServiceConfig("steer_slow_start", "{" + fields + "," + Child(child) + "}"));
    const std::set<int> both = {ports[0], ports[1]};
    ASSERT_TRUE(WaitUntil([&] { return Answering(channel) == both; }));
    // They have started together, so they share the calls.
    EXPECT_NEAR(CountCalls(channel, 200)[ports[0]], 100, 60) << child;
    backends[1].Kill();
    ASSERT_TRUE(WaitUntil([&] { return CountCalls(channel, 20) == Counts{{ports[0], 20}}; }));
    // By now the first has been connected for longer, but not yet for a whole window.
    backends[1].Start();
    EXPECT_TRUE(WaitUntil([&] { return CountCalls(channel, 20).size() == 2; })) << child;
  }
}

// Another child takes over without a failed call.
TEST(Children, NoCallFailsWhileTheChildChanges) {
  Backends backends(3);
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = backends.ports();
  result.service_config = ServiceConfig("steer_subset", "{" + Child("steer_round_robin") + "}");
  feed.Feed(result);
  const auto channel = MakeChannel(feed.target(), "");
  ASSERT_TRUE(Call(channel).status.ok());
  Load load(channel, 4);
  for (int round = 0; round < 3; ++round) {
    for (const char* child : {"steer_least_request", "steer_maglev", "steer_peak_ewma",
                              "steer_slow_start", "steer_round_robin"}) {
      const std::string config =
          std::string(child) == "steer_maglev" ? R"({"requestHashHeader":"key"})" : "{}";
      result.service_config = ServiceConfig("steer_subset", "{" + Child(child, config) + "}");
      EXPECT_EQ(feed.Feed(result).wait_for(kPatience), std::future_status::ready);
      EXPECT_TRUE(load.WaitForPorts(backends.ports())) << child;
      const std::string name = std::string("\"policy\":\"") + child + "\"";
      EXPECT_TRUE(WaitUntil([&] { return steer::StatsJson().find(name) != std::string::npos; }));
    }
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

// gRPC's own parents are above.
TEST(Children, AreEjectedByOutlierDetection) {
  Backends backends(3);
  const std::string config = R"({"interval":"0.2s","baseEjectionTime":"1000s",
      "maxEjectionTime":"1000s","maxEjectionPercent":100,
      "failurePercentageEjection":{"threshold":50,"enforcementPercentage":100,
          "minimumHosts":2,"requestVolume":5},)" +
                             Child("steer_slow_start", "{" + Child("steer_round_robin") + "}") +
                             "}";
  const auto channel = MakeChannel(StaticTarget(backends.ports()),
                                   R"({"loadBalancingConfig":[{"outlier_detection_experimental":)" +
                                       config + R"(},{"steer_slow_start":{}}]})");
  ASSERT_TRUE(Call(channel).status.ok());
  if (channel->GetLoadBalancingPolicyName() != "outlier_detection_experimental") {
    GTEST_SKIP() << "this gRPC has no outlier detection";
  }
  ASSERT_TRUE(WaitForAnswers(channel, backends.ports()));
  backends[1].SetFailing(true);
  EXPECT_TRUE(WaitUntil([&] {
    const Counts counts = CountCalls(channel, 50);
    return counts.size() == 2 && counts.count(0) == 0 && counts.count(backends[1].port()) == 0;
  }));
}

// A custom picker that follows its calls, below two parents.
TEST(Children, MayBeCustomPickers) {
  Script& script = TrackingScript();
  Backend backend;
  const std::string child = R"("childPolicy":[)" + script.Entry() + "]";
  const auto channel =
      ChannelTo({backend.port()}, "steer_locality", Child("steer_subset", "{" + child + "}"));
  for (int call = 0; call < 10; ++call) EXPECT_TRUE(Call(channel).status.ok());
  EXPECT_EQ(script.WaitForEnds(10).size(), 10u);
  ExpectAllEnded(script);
}

TEST(Children, HaveFaultsWithTheirWholePath) {
  const Backend backend;
  const std::string child = Child("steer_least_request", R"({"choiceCount":1})");
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = {backend.port()};
  result.service_config =
      ServiceConfig("steer_locality", "{" + Child("steer_subset", "{" + child + "}") + "}");
  feed.Feed(result);
  EXPECT_THAT(Call(MakeChannel(feed.target(), "")).status.error_message(),
              testing::HasSubstr("field:steer_locality.childPolicy[0].steer_subset.childPolicy[0]"
                                 ".steer_least_request.choiceCount error:must be at least 2"));
}

}  // namespace
}  // namespace steer_test
