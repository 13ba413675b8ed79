// What the statistics show of a channel whose policies are children of gRPC's own: which channel,
// which cluster, and which locality each of them has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

using testing::HasSubstr;

// By the number of each gRPC channel: its policies, as "<cluster> <zone>". The zone is empty if the
// backends of a policy have several.
std::map<int, std::multiset<std::string>> SeenPolicies() {
  static const std::regex kPolicy(
      R"re("grpc_channel":([0-9]+),"target":"xds:///greeter","cluster":"([^"]*)",)re"
      R"re((?:"locality":\{"region":"here","zone":"([^"]*)"\},)?"policy":"steer_)re");
  const std::string json = steer::StatsJson();
  std::map<int, std::multiset<std::string>> seen;
  for (std::sregex_iterator found(json.begin(), json.end(), kPolicy), end; found != end; ++found) {
    seen[std::stoi((*found)[1])].insert((*found)[2].str() + " " + (*found)[3].str());
  }
  return seen;
}

class XdsStatistics : public XdsTest {
 protected:
  // Waits until the statistics show just these policies of one channel. Returns its number.
  static int WaitForPolicies(const std::multiset<std::string>& expected) {
    EXPECT_TRUE(WaitUntil([&] {
      const auto seen = SeenPolicies();
      return seen.size() == 1 && seen.begin()->second == expected;
    })) << testing::PrintToString(SeenPolicies());
    const auto seen = SeenPolicies();
    return seen.empty() ? 0 : seen.begin()->first;
  }
};

TEST_F(XdsStatistics, HaveTheClusterAndTheLocalityOfEachPolicyOfAChannel) {
  Backends backends(5);
  const std::vector<int> ports = backends.ports();
  const auto cluster = [](const std::vector<XdsLocality>& localities) {
    return XdsCluster{{R"({"steer_round_robin":{}})"}, localities};
  };
  // The locality c has the next priority.
  const std::string service = ServiceJson(
      {{"one", cluster({{"a", EndpointsOf({ports[0]})},
                        {"b", EndpointsOf({ports[1]})},
                        {"c", EndpointsOf({ports[2]}), 1, 1}})},
       {"two", cluster({{"a", EndpointsOf({ports[3]})}, {"b", EndpointsOf({ports[4]})}})}});
  ASSERT_TRUE(plane_.ServeFleet(FleetJson({{"greeter", service}})));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, {ports[0], ports[1], ports[3], ports[4]}));
  const int number = WaitForPolicies({"one a", "one b", "two a", "two b"});
  EXPECT_THAT(steer::StatsPrometheus(),
              HasSubstr("target=\"xds:///greeter\",grpc_channel=\"" + std::to_string(number) +
                        "\",cluster=\"two\",region=\"here\",zone=\"b\"} 1.0\n"));
  // The policy of the next priority is one of the same channel.
  backends[0].Kill();
  backends[1].Kill();
  ASSERT_TRUE(WaitForPorts(channel, {ports[2], ports[3], ports[4]}));
  EXPECT_EQ(WaitForPolicies({"one a", "one b", "one c", "two a", "two b"}), number);
}

TEST_F(XdsStatistics, TellChannelsWithOneTargetApart) {
  Backends backends(2);
  const std::vector<int> ports = backends.ports();
  ASSERT_TRUE(plane_.Serve({{R"({"steer_peak_ewma":{"decayTime":"0.1s"}})"},
                            {{"a", EndpointsOf({ports[0]})}, {"b", EndpointsOf({ports[1]})}}}));
  const auto first = XdsChannel();
  ASSERT_TRUE(WaitForPorts(first, ports));
  const int number = WaitForPolicies({"greeter a", "greeter b"});
  const auto second = XdsChannel();
  ASSERT_TRUE(WaitForPorts(second, ports));
  const auto seen = SeenPolicies();
  ASSERT_EQ(seen.size(), 2u) << testing::PrintToString(seen);
  EXPECT_EQ(seen.begin()->first, number);
  EXPECT_EQ(seen.begin()->second, seen.rbegin()->second);
}

TEST_F(XdsStatistics, HaveNoLocalityOfAPolicyWithSeveral) {
  Backends backends(2);
  const std::vector<int> ports = backends.ports();
  const auto serve = [&](const std::vector<XdsLocality>& localities) {
    return plane_.Serve({{R"({"steer_random":{}})"}, localities, false});
  };
  ASSERT_TRUE(serve({{"a", EndpointsOf({ports[0]})}, {"b", EndpointsOf({ports[1]})}}));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, ports));
  const int number = WaitForPolicies({"greeter "});
  ASSERT_TRUE(serve({{"b", EndpointsOf(ports)}}));
  EXPECT_EQ(WaitForPolicies({"greeter b"}), number);
}

}  // namespace
}  // namespace steer_test
