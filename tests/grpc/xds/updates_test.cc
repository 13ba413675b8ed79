// EDS updates: no call fails, what stays is kept, and calls outlive their endpoints.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

constexpr const char* kPolicies[] = {
    R"({"steer_round_robin":{}})", R"({"steer_peak_ewma":{"decayTime":"0.1s"}})",
    R"({"steer_maglev":{}})", R"({"steer_subset":{"subsetSize":2}})"};

class XdsUpdates : public XdsTest {
 protected:
  // Serves these backends in one locality of this weight.
  bool Serve(const std::string& policy, const std::vector<int>& ports, int weight = 1) {
    return plane_.Serve({{policy}, {{"a", EndpointsOf(ports), weight}}});
  }

  Backends backends_{4};
};

TEST_F(XdsUpdates, FailNoCall) {
  const std::vector<int> ports = backends_.ports();
  for (const char* policy : kPolicies) {
    ASSERT_TRUE(Serve(policy, {ports[0], ports[1]}));
    const auto channel = XdsChannel();
    ASSERT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
    Load load(channel, 1);
    // Each list shares one backend with the one before, or none.
    for (size_t round = 0; round < 12; ++round) {
      const size_t first = round % 4;
      const size_t second = (first + 1 + round / 6) % 4;
      ASSERT_TRUE(Serve(policy, {ports[first], ports[second]}));
      ASSERT_TRUE(load.WaitForCalls(20));
    }
    load.Stop();
    EXPECT_EQ(load.failures(), 0) << policy << load.FailureTexts();
  }
}

// The ports of the client's connections to each backend.
using Connections = std::map<int, std::set<std::string>>;

// Makes at least 40 calls, until each of these backends has answered one, and adds the connections
// that they use. A policy that looks at latency may leave a backend out for a while.
void AddConnections(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports,
                    Connections& connections) {
  std::set<int> missing(ports.begin(), ports.end());
  int user = 0;
  EXPECT_TRUE(WaitUntil([&] {
    for (int call = 0; call < 40; ++call, ++user) {
      CallOptions options;
      options.metadata = {{"user", std::to_string(user)}, {"tell-peer", "1"}};
      const CallResult result = Call(channel, options);
      EXPECT_TRUE(result.status.ok()) << result.status.error_message();
      missing.erase(result.port);
      for (auto [it, end] = result.trailers.equal_range("peer"); it != end; ++it) {
        connections[result.port].insert(it->second);
      }
    }
    return missing.empty();
  }));
}

TEST_F(XdsUpdates, KeepTheConnectionsOfEndpointsThatStay) {
  const std::vector<int> ports = backends_.ports();
  for (const char* policy : {kPolicies[0], kPolicies[1], kPolicies[2]}) {
    ASSERT_TRUE(Serve(policy, {ports[0], ports[1]}));
    const auto channel = XdsChannel();
    ASSERT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
    Connections all;
    AddConnections(channel, {ports[0], ports[1]}, all);
    // The list grows, shrinks and changes its order; the locality's weight changes, too.
    const std::vector<std::vector<int>> lists = {{ports[0], ports[1], ports[2]},
                                                 {ports[2], ports[0], ports[1]},
                                                 {ports[1], ports[0], ports[3]},
                                                 {ports[0], ports[1]}};
    for (size_t round = 0; round < lists.size(); ++round) {
      ASSERT_TRUE(Serve(policy, lists[round], static_cast<int>(round) + 1));
      ASSERT_TRUE(WaitForPorts(channel, lists[round])) << policy;
      AddConnections(channel, lists[round], all);
    }
    EXPECT_EQ(all[ports[0]].size(), 1u) << policy;
    EXPECT_EQ(all[ports[1]].size(), 1u) << policy;
  }
}

TEST_F(XdsUpdates, LetCallsOutliveTheirEndpoints) {
  const std::vector<int> ports = backends_.ports();
  for (const char* policy : kPolicies) {
    ASSERT_TRUE(Serve(policy, {ports[0], ports[1]}));
    const auto channel = XdsChannel();
    ASSERT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
    CallOptions slow;
    slow.metadata = {{"delay-ms", "400"}, {"user", "one"}};
    std::vector<std::unique_ptr<PendingCall>> calls;
    for (int i = 0; i < 10; ++i) calls.push_back(std::make_unique<PendingCall>(channel, slow));
    ASSERT_TRUE(Serve(policy, {ports[2], ports[3]}));
    EXPECT_TRUE(WaitForPorts(channel, {ports[2], ports[3]})) << policy;
    for (const auto& call : calls) {
      const CallResult result = call->Result();
      EXPECT_TRUE(result.status.ok()) << policy << result.status.error_message();
      EXPECT_TRUE(result.port == ports[0] || result.port == ports[1]) << result.port;
    }
  }
}

// The control plane has lost its endpoints, and finds them again.
TEST_F(XdsUpdates, MayTakeAllEndpointsAway) {
  const std::vector<int> ports = backends_.ports();
  ASSERT_TRUE(Serve(kPolicies[1], {ports[0]}));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, {ports[0]}));
  ASSERT_TRUE(plane_.Serve({{kPolicies[1]}, {}}));
  EXPECT_TRUE(WaitUntil(
      [&] { return Call(channel).status.error_code() == grpc::StatusCode::UNAVAILABLE; }));
  ASSERT_TRUE(Serve(kPolicies[1], {ports[0], ports[1]}));
  EXPECT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
}

}  // namespace
}  // namespace steer_test
