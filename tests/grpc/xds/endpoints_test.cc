// What EDS says of endpoints: weights, localities, priorities, health, drops. And hashes of routes.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/load_report.h"
#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsEndpoints : public XdsTest {};

constexpr char kWeighted[] = R"({"steer_weighted_round_robin":{}})";

TEST_F(XdsEndpoints, HaveWeights) {
  Backends backends(2);
  const std::vector<int> ports = backends.ports();
  for (const bool wrr_locality : {false, true}) {
    ASSERT_TRUE(plane_.Serve({{kWeighted}, {{"a", {{ports[0], 1}, {ports[1], 3}}}}, wrr_locality}));
    const auto channel = XdsChannel();
    EXPECT_TRUE(WaitForShares(channel, {{ports[0], 0.25}, {ports[1], 0.75}})) << wrr_locality;
    // The channel follows new weights.
    ASSERT_TRUE(plane_.Serve({{kWeighted}, {{"a", {{ports[0], 4}, {ports[1], 1}}}}, wrr_locality}));
    EXPECT_TRUE(WaitForShares(channel, {{ports[0], 0.8}, {ports[1], 0.2}})) << wrr_locality;
  }
}

TEST_F(XdsEndpoints, HaveWeightsOnRings) {
  Backends backends(2);
  const std::vector<int> ports = backends.ports();
  for (const char* policy :
       {R"({"steer_ring_hash":{"minRingSize":4096}})", R"({"steer_maglev":{}})"}) {
    ASSERT_TRUE(plane_.Serve({{policy}, {{"a", {{ports[0], 1}, {ports[1], 3}}}}, false}));
    EXPECT_TRUE(WaitForShares(XdsChannel(), {{ports[0], 0.25}, {ports[1], 0.75}})) << policy;
  }
}

TEST_F(XdsEndpoints, AreInLocalitiesWithWeights) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  const auto serve = [&](const std::string& policy, bool wrr_locality) {
    return plane_.Serve(
        {{policy},
         {{"a", EndpointsOf({ports[0]}), 1}, {"b", EndpointsOf({ports[1], ports[2]}), 3}},
         wrr_locality});
  };
  // A locality's weight is its share.
  ASSERT_TRUE(serve(R"({"steer_round_robin":{}})", true));
  EXPECT_TRUE(
      WaitForShares(XdsChannel(), {{ports[0], 0.25}, {ports[1], 0.375}, {ports[2], 0.375}}));
  // At the top, gRPC up to 1.51 and later multiplies it with that of the endpoint.
  ASSERT_TRUE(serve(kWeighted, false));
  EXPECT_TRUE(WaitForPorts(XdsChannel(), ports));
}

TEST_F(XdsEndpoints, OfTheNextPriorityServeWhenTheFirstFails) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  ASSERT_TRUE(plane_.Serve(
      {{R"({"steer_least_request":{}})"},
       {{"a", EndpointsOf({ports[0], ports[1]}), 1, 0}, {"b", EndpointsOf({ports[2]}), 1, 1}}}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
  backends[0].Kill();
  backends[1].Kill();
  EXPECT_TRUE(WaitForPorts(channel, {ports[2]}));
  backends[0].Start();
  EXPECT_TRUE(WaitForPorts(channel, {ports[0]}));
}

TEST_F(XdsEndpoints, ThatAreNotHealthyGetNoCalls) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  const auto serve = [&](const std::string& health) {
    const std::string more = R"(,"health":")" + health + "\"";
    return plane_.Serve({{R"({"steer_round_robin":{}})"},
                         {{"a", {{ports[0]}, {ports[1], 1, more}, {ports[2], 1, more}}}}});
  };
  ASSERT_TRUE(serve("HEALTHY"));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, ports));
  for (const char* health : {"UNHEALTHY", "DRAINING", "TIMEOUT"}) {
    ASSERT_TRUE(serve(health));
    EXPECT_TRUE(WaitForPorts(channel, {ports[0]})) << health;
    ASSERT_TRUE(serve("UNKNOWN"));
    EXPECT_TRUE(WaitForPorts(channel, ports)) << health;
  }
}

TEST_F(XdsEndpoints, MayBeSparedByDrops) {
  Backends backends(2);
  const XdsCluster cluster = {{R"({"steer_peak_ewma":{"decayTime":"0.1s"}})"},
                              {{"a", EndpointsOf(backends.ports())}}};
  XdsCluster dropping = cluster;
  dropping.more = R"(,"drops":{"overload":50})";
  ASSERT_TRUE(plane_.Serve(cluster));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, backends.ports()));
  ASSERT_TRUE(plane_.Serve(dropping));
  // 400 calls, each dropped with probability 1/2: 4 standard deviations are 40.
  EXPECT_TRUE(WaitUntil([&] {
    const int dropped = CountUsers(channel, 400)[0];
    return dropped > 160 && dropped < 240;
  }));
  ASSERT_TRUE(plane_.Serve(cluster));
  EXPECT_TRUE(WaitForPorts(channel, backends.ports()));
}

// gRPC wraps each connection to count its calls.
TEST_F(XdsEndpoints, AreCountedForTheControlPlane) {
  Backends backends(2);
  XdsCluster cluster = {
      {R"({"steer_random":{}})"},
      {{"a", EndpointsOf({backends[0].port()})}, {"b", EndpointsOf({backends[1].port()})}}};
  cluster.more = R"(,"cluster":{"lrsServer":{"self":{}}})";
  ASSERT_TRUE(plane_.Serve(cluster));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, backends.ports()));
  EXPECT_NE(plane_.WaitForLine("LOAD greeter"), "");
}

TEST_F(XdsEndpoints, ReportTheirLoad) {
  Backends backends(2);
  // Three times the utilization at the same rate: a third of the weight. Fields 1 and 6 of the
  // report are the CPU's utilization and the calls per second.
  backends[0].SetTrailer(LoadReport().Number(1, 0.75).Number(6, 100).bytes());
  backends[1].SetTrailer(LoadReport().Number(1, 0.25).Number(6, 100).bytes());
  ASSERT_TRUE(plane_.Serve(
      {{R"({"steer_weighted_round_robin":{"blackoutPeriod":"0s","weightUpdatePeriod":"0.1s"}})"},
       {{"a", EndpointsOf(backends.ports())}}}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForShares(channel, {{backends[0].port(), 0.25}, {backends[1].port(), 0.75}}));
}

// The same user goes to the same backend, and users are spread.
TEST_F(XdsEndpoints, AreChosenByTheHashOfTheRoute) {
  Backends backends(3);
  for (const char* policy : {R"({"steer_ring_hash":{}})", R"({"steer_maglev":{}})"}) {
    for (const bool wrr_locality : {false, true}) {
      ASSERT_TRUE(plane_.Serve({{policy}, {{"a", EndpointsOf(backends.ports())}}, wrr_locality}));
      const auto channel = XdsChannel();
      ASSERT_TRUE(WaitForPorts(channel, backends.ports()));
      const auto ports_of = [&] {
        std::vector<int> ports;
        for (int user = 0; user < 60; ++user) ports.push_back(CallOf(channel, user).port);
        return ports;
      };
      // Backends of a ring become READY one by one.
      EXPECT_TRUE(WaitUntil([&] {
        const std::vector<int> ports = ports_of();
        return ports == ports_of();
      })) << policy;
    }
  }
}

}  // namespace
}  // namespace steer_test
