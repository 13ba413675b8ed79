// The resolver's answer changes while calls are made: address lists, errors, empty lists, and the
// policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/generation.h"
#include "support/policy_fixture.h"

namespace steer_test {
namespace {

using testing::HasSubstr;

constexpr int kUpdateLoadThreads = 2;

class Update : public PolicyTest {
 protected:
  // Feeds `ports` and waits until the channel has accepted them.
  static grpc::Status FeedAndWait(ResolverFeed* feed, const std::vector<int>& ports) {
    std::future<grpc::Status> accepted = feed->FeedPorts(ports);
    if (accepted.wait_for(kPatience) != std::future_status::ready) {
      return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                          "the channel did not accept the update in time");
    }
    return accepted.get();
  }

  // The connections of this machine to these ports, identified by their local ports. A new
  // connection has a new local port.
  static std::map<int, std::set<int>> ConnectionsTo(const std::vector<int>& ports) {
    std::map<int, std::set<int>> connections;
    // gRPC's sockets are of both families.
    for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
      std::ifstream lines(table);
      std::string line;
      while (std::getline(lines, line)) {
        unsigned local = 0;
        unsigned remote = 0;
        unsigned state = 0;
        constexpr unsigned kEstablished = 1;
        const char* const format = " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x";
        if (std::sscanf(line.c_str(), format, &local, &remote, &state) != 3) continue;
        const int port = static_cast<int>(remote);
        if (state != kEstablished || std::count(ports.begin(), ports.end(), port) == 0) continue;
        connections[port].insert(static_cast<int>(local));
      }
    }
    return connections;
  }
};
STEER_FOR_EACH_POLICY(Update);

// Every kind of change that leaves a reachable backend, while calls run all the time.
TEST_P(Update, NoCallFailsWhileAddressesChange) {
  Backends backends(6);
  const std::vector<int> all = backends.ports();
  const auto some = [&](const std::vector<size_t>& indexes) {
    std::vector<int> ports;
    for (const size_t index : indexes) ports.push_back(all[index]);
    return ports;
  };
  const std::vector<std::vector<size_t>> lists = {
      {0, 1, 2},           // unchanged
      {0, 1, 2, 3, 4, 5},  // grown
      {5, 4, 3, 2, 1, 0},  // another order
      {4, 5},              // shrunk
      {0, 1, 2, 3},        // nothing in common
      {3, 3, 4, 3},        // duplicates
      {0},                 // a single one
      {1},                 // another single one
      {1, 2, 3},
  };
  ResolverFeed feed;
  feed.FeedPorts(some({0, 1, 2}));
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, some({0, 1, 2})));
  Load load(channel, kUpdateLoadThreads);
  for (int round = 0; round < 3; ++round) {
    for (const std::vector<size_t>& list : lists) {
      EXPECT_TRUE(FeedAndWait(&feed, some(list)).ok());
      EXPECT_TRUE(load.WaitForPorts(some(list))) << testing::PrintToString(list);
    }
  }
  // A burst: most of these lists are replaced before they connect.
  for (int i = 0; i < 300; ++i) feed.FeedPorts(some(lists[static_cast<size_t>(i) % lists.size()]));
  EXPECT_TRUE(FeedAndWait(&feed, all).ok());
  EXPECT_TRUE(load.WaitForPorts(all));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

// Name servers shuffle their answers. A backend that stays in the list keeps its connection, at any
// place of the list.
TEST_P(Update, BackendsThatStayKeepTheirConnections) {
  Backends backends(5);
  std::vector<int> ports = backends.ports();
  const int last = ports.back();
  const std::vector<int> stay(ports.begin(), ports.end() - 1);
  ResolverFeed feed;
  feed.FeedPorts(ports);
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, ports));
  const auto before = ConnectionsTo(stay);
  ASSERT_EQ(before.size(), stay.size());
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    const auto found = std::find(ports.begin(), ports.end(), last);
    switch (round % 4) {
      case 0:  // unchanged
        break;
      case 1:
        std::shuffle(ports.begin(), ports.end(), random);
        break;
      case 2:
        std::rotate(ports.begin(), ports.begin() + 1, ports.end());
        break;
      default:  // one is removed or added
        found == ports.end() ? void(ports.insert(ports.begin(), last)) : void(ports.erase(found));
    }
    ASSERT_TRUE(FeedAndWait(&feed, ports).ok());
    ASSERT_TRUE(WaitForRotation(channel, ports));
    EXPECT_EQ(ConnectionsTo(stay), before) << "round " << round;
  }
}

TEST_P(Update, AListThatDoesNotConnectDoesNotReplaceTheOldOne) {
  Backends backends(3);
  MuteListener mute;
  ResolverFeed feed;
  feed.FeedPorts({backends[0].port(), backends[1].port()});
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, {backends[0].port(), backends[1].port()}));
  Load load(channel, kUpdateLoadThreads);
  EXPECT_TRUE(FeedAndWait(&feed, {mute.port()}).ok());
  EXPECT_TRUE(load.WaitForPorts({backends[0].port(), backends[1].port()}, 500));
  EXPECT_TRUE(FeedAndWait(&feed, {mute.port(), backends[2].port()}).ok());
  EXPECT_TRUE(load.WaitForPorts({backends[2].port()}));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_P(Update, AListThatFailsReplacesTheOldOne) {
  Backend backend;
  ReservedPort nobody;
  ResolverFeed feed;
  feed.FeedPorts({backend.port()});
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, {backend.port()}));
  EXPECT_TRUE(FeedAndWait(&feed, {nobody.port()}).ok());
  ASSERT_TRUE(WaitUntil([&] { return !Call(channel).status.ok(); }));
  const grpc::Status status = Call(channel).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr(AllFailing()));
  EXPECT_TRUE(FeedAndWait(&feed, {backend.port()}).ok());
  EXPECT_TRUE(WaitForRotation(channel, {backend.port()}));
}

TEST_P(Update, AnErrorKeepsTheAddresses) {
  Backends backends(2);
  ResolverFeed feed;
  feed.FeedPorts(backends.ports());
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kUpdateLoadThreads);
  ResolverFeed::Result error;
  error.error = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the name server is away");
  std::future<grpc::Status> accepted = feed.Feed(error);
  ASSERT_EQ(accepted.wait_for(kPatience), std::future_status::ready);
  const grpc::Status status = accepted.get();
  EXPECT_EQ(status.error_code(), ErrorVerdict(error.error).error_code());
  EXPECT_EQ(status.error_message(), ErrorVerdict(error.error).error_message());
  EXPECT_TRUE(load.WaitForPorts(backends.ports(), 500));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_P(Update, AnErrorInsteadOfTheFirstAddressesFailsCalls) {
  Backend backend;
  ResolverFeed feed;
  ResolverFeed::Result error;
  error.error = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the name server is away");
  feed.Feed(error);
  const auto channel = Channel(feed.target());
  const grpc::Status status = Call(channel).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the name server is away"));
  PendingCall waiting(channel, {true, kPatience});
  EXPECT_FALSE(waiting.Done());
  feed.FeedPorts({backend.port()});
  EXPECT_EQ(waiting.Result().port, backend.port());
}

TEST_P(Update, AnEmptyListFailsCallsAndSaysWhy) {
  Backends backends(2);
  ResolverFeed feed;
  ResolverFeed::Result empty;
  empty.note = "no DNS entries found for greeter.example";
  feed.Feed(empty);
  const auto channel = Channel(feed.target());
  const std::string wanted = EmptyListMessage(empty.note);

  // As the first list.
  grpc::Status status = Call(channel).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), wanted);
  PendingCall waiting(channel, {true, kPatience});
  EXPECT_TRUE(FeedAndWait(&feed, backends.ports()).ok());
  EXPECT_TRUE(waiting.Result().status.ok());
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));

  // It replaces a list in use at once, and the update counts as refused.
  std::future<grpc::Status> accepted = feed.Feed(empty);
  ASSERT_EQ(accepted.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(accepted.get().error_message(), EmptyListVerdict(empty.note));
  status = Call(channel).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), wanted);
  EXPECT_TRUE(FeedAndWait(&feed, backends.ports()).ok());
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

// Each update's service config names another policy.
TEST_P(Update, NoCallFailsWhileThePolicyChanges) {
  Backends backends(3);
  const std::vector<std::string> policies = {policy(),      "pick_first", policy(),
                                             "round_robin", policy(),     "steer_round_robin"};
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = backends.ports();
  result.service_config = ServiceConfig("pick_first");
  feed.Feed(result);
  const auto channel = MakeChannel(feed.target(), "");
  ASSERT_TRUE(Call(channel).status.ok());
  Load load(channel, kUpdateLoadThreads);
  for (int round = 0; round < 5; ++round) {
    for (const std::string& next : policies) {
      result.service_config = ServiceConfig(next);
      EXPECT_EQ(feed.Feed(result).wait_for(kPatience), std::future_status::ready);
      EXPECT_TRUE(WaitUntil([&] { return channel->GetLoadBalancingPolicyName() == next; })) << next;
      EXPECT_TRUE(next == "pick_first" ? load.WaitForCalls(100)
                                       : load.WaitForPorts(backends.ports()))
          << next;
    }
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

}  // namespace
}  // namespace steer_test
