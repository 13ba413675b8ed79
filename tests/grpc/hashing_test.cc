// Policies that send the calls of a user to the same backend, by a header of the call.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/resolver_feed.h"
#include "support/wait.h"

namespace steer_test {
namespace {

constexpr int kUsers = 100;

class Hashing : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<grpc::Channel> ChannelTo(const std::vector<int>& ports) const {
    return MakeChannel(StaticTarget(ports),
                       ServiceConfig(GetParam(), R"({"requestHashHeader":"user"})"));
  }
};

int PortOf(const std::shared_ptr<grpc::Channel>& channel, int user) {
  CallOptions options;
  options.wait_for_ready = true;
  options.metadata = {{"user", "user " + std::to_string(user)}};
  return Call(channel, options).port;
}

// The port that answers each user's calls.
std::map<int, int> PortsOf(const std::shared_ptr<grpc::Channel>& channel) {
  std::map<int, int> ports;
  for (int user = 0; user < kUsers; ++user) ports[user] = PortOf(channel, user);
  return ports;
}

// Waits until the ports of all users stay the same, because backends become READY one by one.
std::map<int, int> WaitForPortsOf(const std::shared_ptr<grpc::Channel>& channel, size_t backends) {
  std::map<int, int> ports;
  EXPECT_TRUE(WaitUntil([&] {
    std::map<int, int> before = PortsOf(channel);
    ports = PortsOf(channel);
    std::set<int> used;
    for (const auto& [user, port] : ports) used.insert(port);
    return ports == before && used.size() == backends && used.count(0) == 0;
  }));
  return ports;
}

TEST_P(Hashing, AUsersCallsGoToOneBackendForAnyOrderOfTheList) {
  Backends backends(4);
  const auto channel = ChannelTo(backends.ports());
  const std::map<int, int> ports = WaitForPortsOf(channel, 4);
  for (int again = 0; again < 3; ++again) EXPECT_EQ(PortsOf(channel), ports);
  std::vector<int> reversed = backends.ports();
  std::swap(reversed[0], reversed[3]);
  std::swap(reversed[1], reversed[2]);
  EXPECT_EQ(WaitForPortsOf(ChannelTo(reversed), 4), ports);
}

// Backends connect while the list changes.
TEST_P(Hashing, AUsersCallsGoToOneBackendForAnyHistoryOfTheList) {
  Backends backends(8);
  std::vector<int> ports = backends.ports();
  const std::map<int, int> expected = WaitForPortsOf(ChannelTo(ports), ports.size());
  std::mt19937 random(1);
  ResolverFeed feed;
  const auto channel =
      MakeChannel(feed.target(), ServiceConfig(GetParam(), R"({"requestHashHeader":"user"})"));
  for (int user = 0; user < 30; ++user) {
    std::shuffle(ports.begin(), ports.end(), random);
    feed.FeedPorts({ports.begin(), ports.end() - (user % 3 == 0 ? 1 : 0)});
    EXPECT_NE(PortOf(channel, user), 0);
  }
  std::shuffle(ports.begin(), ports.end(), random);
  feed.FeedPorts(ports);
  EXPECT_EQ(WaitForPortsOf(channel, ports.size()), expected);
}

// maglev's table moves a few users besides those of the removed backend (Maglev, NSDI 2016). A ring
// keeps its size, so each of three backends gets a third more entries than each of four had. It
// moves up to a quarter of the other users.
TEST_P(Hashing, FewUsersMoveWhenABackendLeaves) {
  Backends backends(4);
  const std::map<int, int> before = WaitForPortsOf(ChannelTo(backends.ports()), 4);
  std::vector<int> three = backends.ports();
  const int gone = three.back();
  three.pop_back();
  const std::map<int, int> after = WaitForPortsOf(ChannelTo(three), 3);
  int moved = 0;
  for (const auto& [user, port] : before) {
    if (port != gone && after.at(user) != port) ++moved;
  }
  EXPECT_LE(moved, kUsers / (GetParam() == std::string("steer_ring_hash") ? 4 : 20));
}

TEST_P(Hashing, CallsWithoutTheHeaderGoAnywhere) {
  Backends backends(3);
  const auto channel = ChannelTo(backends.ports());
  WaitForPortsOf(channel, 3);
  const Counts counts = CountCalls(channel, 200);
  for (const int port : backends.ports()) EXPECT_EQ(counts.count(port), 1u);
  EXPECT_EQ(counts.count(0), 0u);
}

TEST_P(Hashing, AUserWhoseBackendIsLostGoesToAnother) {
  Backends backends(3);
  const auto channel = ChannelTo(backends.ports());
  const std::map<int, int> before = WaitForPortsOf(channel, 3);
  backends[0].Kill();
  const std::map<int, int> meanwhile = WaitForPortsOf(channel, 2);
  for (const auto& [user, port] : before) {
    if (port != backends[0].port() && GetParam() == std::string("steer_ring_hash")) {
      EXPECT_EQ(meanwhile.at(user), port);
    }
  }
  backends[0].Start();
  EXPECT_EQ(WaitForPortsOf(channel, 3), before);
}

TEST_P(Hashing, AChannelConnectsWithoutACall) {
  Backends backends(2);
  const auto channel = ChannelTo(backends.ports());
  // Asks again and again: while there is no policy yet, gRPC 1.51 forgets that it was asked.
  const auto deadline = std::chrono::system_clock::now() + kPatience;
  while (channel->GetState(true) != GRPC_CHANNEL_READY &&
         std::chrono::system_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(channel->GetState(false), GRPC_CHANNEL_READY);
}

TEST_P(Hashing, ARetryMayGoElsewhere) {
  constexpr char kRetries[] =
      R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":2,"initialBackoff":"0.01s",)"
      R"("maxBackoff":"0.01s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}])";
  Backends backends(3);
  for (const bool elsewhere : {false, true}) {
    const std::string config = std::string(R"({"requestHashHeader":"user","retryElsewhere":)") +
                               (elsewhere ? "true}" : "false}");
    const auto channel =
        MakeChannel(StaticTarget(backends.ports()), ServiceConfig(GetParam(), config, kRetries));
    const std::map<int, int> before = WaitForPortsOf(channel, 3);
    backends[0].SetFailing(true);
    for (const auto& [user, port] : before) {
      const int now = PortOf(channel, user);
      if (port != backends[0].port()) {
        EXPECT_EQ(now, port);
      } else if (elsewhere) {
        EXPECT_TRUE(now != 0 && now != port) << now;
      } else {
        EXPECT_EQ(now, 0) << "the retry goes to the same backend";
      }
    }
    backends[0].SetFailing(false);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, Hashing, testing::Values("steer_ring_hash", "steer_maglev"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace steer_test
