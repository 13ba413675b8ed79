// Each of Steer's policies, named by a cluster with a TypedStruct, and custom ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/scripted_picker.h"
#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsPolicies : public XdsTest {
 protected:
  // Policies, each with a config. Those that hash use the hash of the route.
  const std::map<std::string, std::string> policies_ = {
      {"steer_round_robin", "{}"},
      {"steer_random", "{}"},
      {"steer_weighted_round_robin", R"({"blackoutPeriod":"0.5s"})"},
      {"steer_least_request", R"({"choiceCount":3})"},
      {"steer_peak_ewma", R"({"decayTime":"0.1s","defaultRtt":"0.001s"})"},
      {"steer_prequal", "{}"},
      {"steer_ring_hash", R"({"minRingSize":2048})"},
      {"steer_maglev", R"({"tableSize":1009})"},
      {"steer_subset", R"({"subsetSize":10,"childPolicy":[{"steer_random":{}}]})"},
      {"steer_priority", R"({"attribute":"zone","order":["a","b"]})"},
      {"steer_locality", R"({"childPolicy":[{"steer_random":{}}]})"},
      {"steer_slow_start", R"({"childPolicy":[{"steer_least_request":{}}]})"},
  };

  // Serves a service for each policy, with two localities of two backends each. Expects that calls
  // go to all of them, by that policy.
  void ExpectAllAnswer(bool wrr_locality) {
    Backends backends(4);
    const std::vector<int> ports = backends.ports();
    std::map<std::string, std::string> services;
    for (const auto& [name, config] : policies_) {
      const XdsCluster cluster = {
          {"{\"" + name + "\":" + config + "}"},
          {{"a", EndpointsOf({ports[0], ports[1]})}, {"b", EndpointsOf({ports[2], ports[3]})}},
          wrr_locality};
      services[name] = ServiceJson({{name, cluster}});
    }
    ASSERT_TRUE(plane_.ServeFleet(FleetJson(services)));
    for (const auto& [name, config] : policies_) {
      const auto channel = XdsChannel(name);
      // The best group alone.
      const bool first_only = name == "steer_priority" && !wrr_locality;
      EXPECT_TRUE(WaitForPorts(channel, first_only ? std::vector<int>{ports[0], ports[1]} : ports))
          << name;
      EXPECT_THAT(steer::StatsJson(), testing::HasSubstr("\"policy\":\"" + name + "\"")) << name;
    }
  }
};

TEST_F(XdsPolicies, ChooseAmongTheBackendsOfAllLocalities) { ExpectAllAnswer(false); }

TEST_F(XdsPolicies, ChooseWithinEachLocality) { ExpectAllAnswer(true); }

TEST_F(XdsPolicies, MayBeCustomOnesWithConfigs) {
  Backends backends(2);
  Script& script = TrackingScript();
  for (const bool wrr_locality : {false, true}) {
    ASSERT_TRUE(
        plane_.Serve({{script.Entry()}, {{"a", EndpointsOf(backends.ports())}}, wrr_locality}));
    const auto channel = XdsChannel();
    const int before = script.tracked();
    for (int call = 0; call < 10; ++call) EXPECT_TRUE(Call(channel).status.ok());
    EXPECT_EQ(script.tracked(), before + 10) << wrr_locality;
  }
  EXPECT_EQ(script.WaitForEnds(20).size(), 20u);
  ExpectAllEnded(script);
}

TEST_F(XdsPolicies, ThatAreNotKnownArePassedOver) {
  Backends backends(2);
  ASSERT_TRUE(plane_.Serve({{R"({"policy_of_next_year":{"a":1}})", R"({"steer_random":{}})"},
                            {{"a", EndpointsOf(backends.ports())}}}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, backends.ports()));
  EXPECT_THAT(steer::StatsJson(), testing::HasSubstr("\"policy\":\"steer_random\""));
}

TEST_F(XdsPolicies, AreReplacedByAnUpdateWithoutAFailedCall) {
  Backends backends(3);
  const auto serve = [&](const std::string& policy) {
    return plane_.Serve({{policy}, {{"a", EndpointsOf(backends.ports())}}});
  };
  ASSERT_TRUE(serve(R"({"steer_round_robin":{}})"));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, backends.ports()));
  Load load(channel, 1);
  for (const char* name : {"steer_peak_ewma", "steer_maglev", "steer_random"}) {
    ASSERT_TRUE(serve(std::string("{\"") + name + "\":{}}"));
    const std::string in_use = std::string("\"policy\":\"") + name + "\"";
    EXPECT_TRUE(WaitUntil([&] { return steer::StatsJson().find(in_use) != std::string::npos; }));
    EXPECT_TRUE(load.WaitForCalls(100));
  }
  // gRPC's own policy, by the name of Envoy's message, and back.
  constexpr char kRoundRobin[] =
      "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin";
  ASSERT_TRUE(serve(std::string("{\"") + kRoundRobin + "\":{}}"));
  EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  EXPECT_TRUE(WaitUntil(
      [] { return steer::StatsJson().find("\"policy\":\"steer_") == std::string::npos; }));
  ASSERT_TRUE(serve(R"({"steer_least_request":{}})"));
  EXPECT_TRUE(WaitUntil(
      [] { return steer::StatsJson().find("\"steer_least_request\"") != std::string::npos; }));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

}  // namespace
}  // namespace steer_test
