// Many concurrent calls that end in every possible way: each is counted once, and none is left
// over.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/core_channel.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

namespace steer_test {
namespace {

constexpr char kRetries[] =
    R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":3,"initialBackoff":"0.01s",)"
    R"("maxBackoff":"0.01s","backoffMultiplier":1,)"
    R"("retryableStatusCodes":["RESOURCE_EXHAUSTED","UNAVAILABLE"]}}])";

// The storm's failures say nothing about the backends here. Where no call is in flight, they would
// keep calls from a backend for more than a minute.
constexpr char kByCallsInFlight[] = R"({"choiceCount":3,"failureAware":false})";

// Makes calls of all kinds on this thread until `stopped`.
void CallInAllWays(const std::shared_ptr<grpc::Channel>& channel, uint32_t seed,
                   const std::atomic<bool>& stopped) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<PendingCall>> calls;
  while (!stopped) {
    CallOptions options;
    bool cancel = false;
    switch (random() % 6) {
      case 0:
        break;
      case 1:
        options.metadata = {{"fail-with", "3 planned"}};
        break;
      case 2:
        // gRPC makes three attempts.
        options.metadata = {{"fail-with", "8 try again"}};
        break;
      case 3:
        options.timeout = std::chrono::milliseconds(random() % 15);
        break;
      case 4:
        options.wait_for_ready = true;
        break;
      case 5:
        cancel = true;
        break;
    }
    calls.push_back(std::make_unique<PendingCall>(channel, options));
    if (cancel) {
      if (random() % 2 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 5));
      calls.back()->Cancel();
    }
    if (calls.size() < 20) continue;
    const size_t one = random() % calls.size();
    calls[one]->Result();
    calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(one));
  }
  for (const auto& call : calls) call->Result();
}

// Makes calls on two threads, while servers end and return.
void Storm(const std::shared_ptr<grpc::Channel>& channel, Backends& backends) {
  std::atomic<bool> stopped{false};
  std::vector<std::thread> threads;
  for (uint32_t seed = 0; seed < 2; ++seed) {
    threads.emplace_back([&, seed] { CallInAllWays(channel, seed, stopped); });
  }
  for (size_t i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    Backend& backend = backends[i % backends.size()];
    if (i % 2 == 0) {
      backend.Kill();
    } else {
      backend.Shutdown();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    backend.Start();
  }
  stopped = true;
  for (std::thread& thread : threads) thread.join();
}

Backend::Options SlowEnoughToOverlap() {
  Backend::Options options;
  options.delay = std::chrono::milliseconds(4);
  return options;
}

TEST(CallStorm, EveryTrackedCallEndsOnce) {
  Backends backends(3, SlowEnoughToOverlap());
  Script& script = Script::New();
  std::atomic<uint64_t> next{0};
  script.pick = [&](const steer_backends& ready, const steer_call*) {
    return script.Track(next++ % ready.count);
  };
  {
    const auto channel =
        MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig(kRetries));
    Storm(channel, backends);
  }
  EXPECT_TRUE(WaitUntil([&] { return script.finished() == script.tracked(); }));
  int finished = 0;
  int abandoned = 0;
  int ok = 0;
  for (const CallEnd& end : script.WaitForEnds(static_cast<size_t>(script.tracked()))) {
    ++(end.outcome == STEER_CALL_ABANDONED ? abandoned : finished);
    if (end.outcome == STEER_CALL_FINISHED && end.code == 0) ++ok;
  }
  EXPECT_EQ(script.tracked(), finished + abandoned);
  EXPECT_LE(finished, script.started());
  EXPECT_LE(script.started(), script.tracked());
  EXPECT_GT(ok, 0);
  EXPECT_LT(ok, finished);
}

// Expects that no call is in flight by steer_least_request's count. The policy then shares calls
// evenly among three idle backends. A backend with a call in flight would get none.
void ExpectNoneInFlight(const std::shared_ptr<grpc::Channel>& channel, Backends& backends) {
  ASSERT_TRUE(WaitForAnswers(channel, backends.ports())) << "one of them gets no calls";
  const Counts counts = CountCalls(channel, 300);
  for (const int port : backends.ports()) {
    EXPECT_GT(counts.count(port) == 0 ? 0 : counts.at(port), 50) << port;
  }
}

TEST(CallStorm, LeastRequestCountsEachCallOnce) {
  Backends backends(3, SlowEnoughToOverlap());
  const auto channel =
      MakeChannel(StaticTarget(backends.ports()),
                  ServiceConfig("steer_least_request", kByCallsInFlight, kRetries));
  Storm(channel, backends);
  ExpectNoneInFlight(channel, backends);
}

// Some calls wait for backends, some for answers, and some for another attempt.
TEST(CallStorm, EveryTrackedCallEndsOnceWhenTheChannelIsDestroyed) {
  Script& script = Script::New();
  script.pick = [&](const steer_backends&, const steer_call*) { return script.Track(0); };
  constexpr int kCalls = 50;
  {
    Backend backend(SlowEnoughToOverlap());
    CoreChannel channel(StaticTarget({backend.port()}), script.ServiceConfig(kRetries));
    std::vector<std::unique_ptr<CoreCall>> calls;
    for (int i = 0; i < kCalls; ++i) calls.push_back(std::make_unique<CoreCall>(channel));
    channel.Destroy();
    for (size_t i = 0; i < calls.size(); ++i) ASSERT_TRUE(channel.WaitForOne());
  }
  EXPECT_TRUE(WaitUntil([&] { return script.finished() == script.tracked(); }));
  EXPECT_LE(script.tracked(), kCalls);
}

}  // namespace
}  // namespace steer_test
