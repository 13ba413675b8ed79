// Servers and channels that come and go: servers that shut down, die and return, calls that wait
// for a server, channels that become idle or are released while calls run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <climits>
#include <memory>
#include <vector>

#include "support/generation.h"
#include "support/policy_fixture.h"

namespace steer_test {
namespace {

using testing::HasSubstr;

constexpr int kLossLoadThreads = 4;

class Loss : public PolicyTest {};
STEER_FOR_EACH_POLICY(Loss);

TEST_P(Loss, AKilledServerFailsOnlyItsRunningCallsAndReturns) {
  Backends backends(3);
  const std::vector<int> others = {backends[0].port(), backends[2].port()};
  const auto channel = Channel(StaticTarget(backends.ports()));
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kLossLoadThreads);
  ASSERT_TRUE(load.WaitForPorts(backends.ports()));
  ASSERT_EQ(load.failures(), 0) << load.FailureTexts();
  // Each thread had at most one call at that server, and may start one or two more on the dead
  // connection before the channel gets the report. On a busy machine the thread with the report may
  // wait for a CPU while the others go on calling. Then the test kills the server again.
  int lost = INT_MAX;
  for (int kills = 0; kills < 5 && lost > 3 * kLossLoadThreads; ++kills) {
    const int before = load.failures();
    backends[1].Kill();
    EXPECT_TRUE(load.WaitForPorts(others));
    lost = load.failures() - before;
    EXPECT_TRUE(load.WaitForPorts(others, 500));
    backends[1].Start();
    EXPECT_TRUE(load.WaitForPorts(backends.ports()));
    EXPECT_EQ(load.failures(), before + lost) << load.FailureTexts();
  }
  EXPECT_LE(lost, 3 * kLossLoadThreads) << load.FailureTexts();
}

// A server that shuts down refuses the calls that reach it before its GOAWAY has reached the
// client. Only retries avoid failed calls, with any policy. Each attempt is picked again.
TEST_P(Loss, NoCallThatMayBeRetriedFailsWhenAServerEndsAndReturns) {
  const std::string retries =
      R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.01s",)"
      R"("maxBackoff":"0.1s","backoffMultiplier":2,)"
      R"("retryableStatusCodes":["UNAVAILABLE","CANCELLED"]}}])";
  Backends backends(3);
  const std::vector<int> others = {backends[0].port(), backends[2].port()};
  const auto channel = Channel(StaticTarget(backends.ports()), retries);
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kLossLoadThreads);
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(load.WaitForPorts(backends.ports()));
    if (round % 2 == 0) {
      backends[1].Shutdown();
    } else {
      backends[1].Kill();
    }
    EXPECT_TRUE(load.WaitForPorts(others));
    backends[1].Start();
    EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_P(Loss, AllServersAreLostAndReturn) {
  Backends backends(3);
  const auto channel = Channel(StaticTarget(backends.ports()));
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  for (size_t i = 0; i < backends.size(); ++i) backends[i].Kill();
  const auto all_failing = [&] {
    const grpc::Status status = Call(channel).status;
    return status.error_message().find(AllFailing()) != std::string::npos;
  };
  ASSERT_TRUE(WaitUntil(all_failing));
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  for (size_t i = 0; i < backends.size(); ++i) backends[i].Start();
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

TEST_P(Loss, ReresolutionIsRequestedWhenAServerIsLost) {
  Backends backends(2);
  ResolverFeed feed;
  feed.FeedPorts(backends.ports());
  const auto channel = Channel(feed.target());
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  EXPECT_EQ(feed.reresolution_requests(), 0);
  backends[0].Kill();
  EXPECT_TRUE(WaitUntil([&] { return feed.reresolution_requests() > 0; }));
}

TEST_P(Loss, WaitForReadyWaitsUntilAServerAppears) {
  Backend::Options options;
  options.started = false;
  Backends backends(2, options);
  const auto channel = Channel(StaticTarget(backends.ports()));
  PendingCall first(channel, {true, kPatience});
  ASSERT_TRUE(
      WaitUntil([&] { return channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE; }));
  PendingCall second(channel, {true, kPatience});
  const grpc::Status impatient = Call(channel).status;
  EXPECT_EQ(impatient.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(impatient.error_message(), HasSubstr(AllFailing()));
  const grpc::Status expired = Call(channel, {true, std::chrono::milliseconds(100)}).status;
  EXPECT_EQ(expired.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_FALSE(first.Done());
  EXPECT_FALSE(second.Done());
  backends[1].Start();
  EXPECT_EQ(first.Result().port, backends[1].port());
  EXPECT_EQ(second.Result().port, backends[1].port());
}

TEST_P(Loss, ResettingTheBackoffConnectsAtOnce) {
  Backend::Options options;
  options.started = false;
  Backends backends(2, options);
  grpc::ChannelArguments arguments = TestArguments();
  // 10 minutes: longer than any wait of this test.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 600000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 600000);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), ServiceConfig(policy()),
                                   grpc::InsecureChannelCredentials(), arguments);
  PendingCall waiting(channel, {true, kPatience});
  ASSERT_TRUE(
      WaitUntil([&] { return channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE; }));
  for (size_t i = 0; i < backends.size(); ++i) backends[i].Start();
  grpc::experimental::ChannelResetConnectionBackoff(channel.get());
  EXPECT_TRUE(waiting.Result().status.ok());
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

TEST_P(Loss, AnIdleChannelWakesUpAgain) {
  Backends backends(3);
  grpc::ChannelArguments arguments = TestArguments();
  // The shortest timeout that gRPC accepts.
  arguments.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, 1000);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), ServiceConfig(policy()),
                                   grpc::InsecureChannelCredentials(), arguments);
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  EXPECT_TRUE(WaitUntil([&] { return channel->GetState(false) == GRPC_CHANNEL_IDLE; }));
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

// The application releases its channel. gRPC keeps it until the last call has ended.
TEST_P(Loss, AChannelIsReleasedWithCallsInFlight) {
  Backends backends(3);
  auto channel = Channel(StaticTarget(backends.ports()));
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  for (size_t i = 0; i < backends.size(); ++i) backends[i].SetDelay(std::chrono::milliseconds(300));
  std::vector<std::unique_ptr<PendingCall>> calls;
  for (int i = 0; i < 60; ++i) calls.push_back(std::make_unique<PendingCall>(channel));
  channel.reset();
  for (const auto& call : calls) EXPECT_TRUE(call->Result().status.ok());
}

}  // namespace
}  // namespace steer_test
