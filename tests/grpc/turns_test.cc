// Whose turn it is with the calls of many threads: turns that follow each other exactly, whichever
// threads and pickers take them.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/policy_fixture.h"

namespace steer_test {
namespace {

class Turns : public PolicyTest {};
INSTANTIATE_TEST_SUITE_P(Policies, Turns,
                         testing::Values("steer_round_robin", "steer_weighted_round_robin",
                                         "round_robin"),
                         PolicyTestName);

// Two milliseconds, because gRPC 1.83 never ends a backoff that jitter puts below one.
constexpr char kTwoAttempts[] =
    R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":2,"initialBackoff":"0.002s",)"
    R"("maxBackoff":"0.002s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}])";

// One of the backends fails each call. Two channels are used in turn, as by an application with
// several clients: a rotation that both shared would give all first attempts to one backend.
TEST_P(Turns, ARetryGoesToTheNextBackend) {
  for (const int count : {2, 3}) {
    Backends backends(count);
    const std::string target = StaticTarget(backends.ports());
    const std::vector channels = {Channel(target, kTwoAttempts), Channel(target, kTwoAttempts)};
    for (const auto& channel : channels) {
      ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
    }
    backends[0].SetFailing(true);
    int failed = 0;
    for (size_t i = 0; i < 500; ++i) failed += !Call(channels[i % 2]).status.ok();
    EXPECT_EQ(failed, 0) << "of 500 calls of one thread, " << count << " backends";
    failed = 0;
    for (size_t i = 0; i < 500; ++i) {
      std::thread([&] { failed += !Call(channels[i % 2]).status.ok(); }).join();
    }
    EXPECT_EQ(failed, 0) << "of 500 calls, each of its own thread, " << count << " backends";
  }
}

// Where a number of threads wait for each other, again and again.
class Barrier {
 public:
  explicit Barrier(unsigned threads) { pthread_barrier_init(&barrier_, nullptr, threads); }
  ~Barrier() { pthread_barrier_destroy(&barrier_); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  void Wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

// 32 of 64 threads make a call at once. Turns that threads take by themselves give the busiest of
// eight backends 5.8 calls on average.
TEST_P(Turns, ABurstOfManyThreadsSpreadsEvenly) {
  constexpr int kThreads = 64;
  constexpr int kBursts = 100;
  Backends backends(8);
  const auto channel = Channel(StaticTarget(backends.ports()));
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Barrier barrier(kThreads);
  std::mutex mutex;
  std::vector<Counts> answers(kBursts);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int burst = 0; burst < kBursts; ++burst) {
        barrier.Wait();
        if ((thread + burst) % kThreads >= kThreads / 2) continue;
        const int port = Call(channel).port;
        const std::lock_guard<std::mutex> lock(mutex);
        ++answers[static_cast<size_t>(burst)][port];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  double busiest = 0;
  for (const Counts& counts : answers) {
    EXPECT_EQ(counts.count(0), 0u);
    int most = 0;
    for (const auto& [port, calls] : counts) most = std::max(most, calls);
    busiest += static_cast<double>(most) / kBursts;
  }
  EXPECT_LE(busiest, 4.3);
}

}  // namespace
}  // namespace steer_test
