// Several connections to each backend, with real servers: the config's field connectionsPerBackend.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/metered_link.h"
#include "support/policy_fixture.h"
#include "support/resolver_feed.h"
#include "support/wait.h"

namespace steer_test {
namespace {

// A policy that finds a hash in this header of each call.
constexpr char kByHash[] = R"({"connectionsPerBackend":3,"requestHashHeader":"key"})";

class SeveralConnections : public PolicyTest {
 protected:
  std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
    const bool hashes = policy() == "steer_ring_hash" || policy() == "steer_maglev";
    const std::string config = hashes ? kByHash : R"({"connectionsPerBackend":3})";
    return MakeChannel(target, ServiceConfig(policy(), config));
  }

  // Makes calls until the servers have seen this many connections: a port of the client, and the
  // server's own. Connections to two servers may have the same port of the client.
  static std::set<std::string> PeersOf(const std::shared_ptr<grpc::Channel>& channel,
                                       size_t expected) {
    std::set<std::string> peers;
    int key = 0;
    WaitUntil([&] {
      CallOptions options;
      options.metadata = {{"tell-peer", "1"}, {"key", std::to_string(++key)}};
      const CallResult result = Call(channel, options);
      EXPECT_TRUE(result.status.ok()) << result.status.error_message();
      const auto peer = result.trailers.find("peer");
      if (peer != result.trailers.end()) {
        peers.insert(peer->second + " to " + std::to_string(result.port));
      }
      return peers.size() >= expected;
    });
    return peers;
  }
};
INSTANTIATE_TEST_SUITE_P(Policies, SeveralConnections,
                         testing::Values("steer_round_robin", "steer_random",
                                         "steer_weighted_round_robin", "steer_least_request",
                                         "steer_peak_ewma", "steer_prequal", "steer_ring_hash",
                                         "steer_maglev"),
                         PolicyTestName);

TEST_P(SeveralConnections, AllCarryCalls) {
  Backends backends(2);
  const auto channel = Connect(StaticTarget(backends.ports()));
  EXPECT_EQ(PeersOf(channel, 6).size(), 6u);
}

// The connections stay while the list gets another order and another backend.
TEST_P(SeveralConnections, AreKept) {
  Backends backends(3);
  const std::vector<int> ports = backends.ports();
  ResolverFeed feed;
  feed.FeedPorts({ports[0], ports[1]});
  const auto channel = Connect(feed.target());
  const std::set<std::string> before = PeersOf(channel, 6);
  EXPECT_TRUE(feed.FeedPorts({ports[1], ports[2], ports[0]}).get().ok());
  const std::set<std::string> after = PeersOf(channel, 9);
  EXPECT_EQ(after.size(), 9u);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

// A server allows one call at a time on each connection. The call that takes a minute leaves the
// other connections to others.
TEST(SeveralConnectionsOfOneServer, CarryMoreCallsThanOne) {
  Backend::Options options;
  options.max_streams = 1;
  Backend backend(options);
  const std::string target = StaticTarget({backend.port()});
  CallOptions slow;
  slow.metadata = {{"delay-ms", "60000"}};

  const auto one = MakeChannel(target, ServiceConfig("steer_round_robin"));
  ASSERT_TRUE(Call(one, {true}).status.ok());
  PendingCall in_the_way(one, slow);
  CallOptions short_call;
  short_call.timeout = std::chrono::milliseconds(300);
  EXPECT_EQ(Call(one, short_call).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  in_the_way.Cancel();
  in_the_way.Result();

  const auto two =
      MakeChannel(target, ServiceConfig("steer_round_robin", R"({"connectionsPerBackend":2})"));
  // Both are READY when two calls in a row come from different ports.
  std::string last;
  ASSERT_TRUE(WaitUntil([&] {
    CallOptions tell;
    tell.metadata = {{"tell-peer", "1"}};
    const CallResult result = Call(two, tell);
    const auto peer = result.trailers.find("peer");
    if (peer == result.trailers.end()) return false;
    const std::string before = std::exchange(last, peer->second);
    return !before.empty() && before != last;
  }));
  PendingCall on_one(two, slow);
  EXPECT_TRUE(Call(two).status.ok());
  on_one.Cancel();
  on_one.Result();
}

// On a link that limits each connection, sends a megabyte in 16 calls. Returns how many rounds of
// the link that takes.
int RoundsForAMegabyte(int connections) {
  Backend backend;
  MeteredLink link(backend.port());
  const std::string config = R"({"connectionsPerBackend":)" + std::to_string(connections) + "}";
  const auto channel =
      MakeChannel(StaticTarget({link.port()}), ServiceConfig("steer_round_robin", config));
  const auto wanted = static_cast<size_t>(connections);
  std::set<std::string> peers;
  EXPECT_TRUE(WaitUntil([&] {
    CallOptions tell;
    tell.metadata = {{"tell-peer", "1"}};
    const Metadata trailers = Call(channel, tell).trailers;
    const auto peer = trailers.find("peer");
    if (peer != trailers.end()) peers.insert(peer->second);
    return peers.size() == wanted;
  }));
  // Four calls and what HTTP/2 adds to them.
  constexpr size_t kRound = 300'000;
  int rounds = 1;
  link.BeginRound(kRound);
  CallOptions large;
  large.request = std::string(64 * 1024, 'x');
  std::vector<std::unique_ptr<PendingCall>> calls;
  for (int i = 0; i < 16; ++i) calls.push_back(std::make_unique<PendingCall>(channel, large));
  const auto all_done = [&] {
    return std::all_of(calls.begin(), calls.end(), [](const auto& call) { return call->Done(); });
  };
  EXPECT_TRUE(WaitUntil([&] {
    if (all_done()) return true;
    if (link.AnyIsSpent()) {
      link.BeginRound(kRound);
      ++rounds;
    }
    return false;
  }));
  for (const auto& call : calls) EXPECT_TRUE(call->Result().status.ok());
  return rounds;
}

TEST(SeveralConnectionsOfOneServer, CarryMoreBytesThanOne) {
  EXPECT_GE(RoundsForAMegabyte(1), 4);
  EXPECT_EQ(RoundsForAMegabyte(4), 1);
}

}  // namespace
}  // namespace steer_test
