#include "soak/churn.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <steer/grpc.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>
#include <steer/steer.hpp>
#include <thread>
#include <utility>

#include "soak/clock.h"
#include "soak/policies.h"
#include "support/client.h"
#include "support/resolver_feed.h"

namespace steer_soak {
namespace {

// Shorter than most calls, so that calls outlive their lists.
constexpr std::chrono::milliseconds kBetweenLists(5);
// A call that takes this long hangs.
constexpr std::chrono::seconds kHanging(60);
// Most calls take up to this long: two or three lists.
constexpr int kShortMs = 12;
// One call in this many takes kLongMs: dozens of lists.
constexpr int kCallsPerLong = 32;
constexpr int kLongMs = 250;
// Each round starts and ends a channel.
constexpr int kRounds = 3;

constexpr char kCustom[] = "churn_custom";

struct Churned {
  const char* name;
  const char* policy;
  const char* config;
  // Calls are tracked for the statistics only.
  bool for_statistics;
};

const std::vector<Churned>& All() {
  static const std::vector<Churned> all = {
      {"steer_least_request", "steer_least_request", "{}", false},
      {"steer_peak_ewma", "steer_peak_ewma", "{}", false},
      {"steer_prequal", "steer_prequal", R"({"enableOobLoadReport":true})", false},
      {"steer_weighted_round_robin", "steer_weighted_round_robin",
       R"({"blackoutPeriod":"0s","weightUpdatePeriod":"0.1s"})", false},
      {"steer_ring_hash:bounded", "steer_ring_hash",
       R"({"requestHashHeader":"soak-key","minRingSize":64,"hashBalanceFactor":150})", false},
      {"steer_maglev:bounded", "steer_maglev",
       R"({"requestHashHeader":"soak-key","tableSize":1021,"hashBalanceFactor":150})", false},
      {kCustom, kCustom, "{}", false},
      {"steer_round_robin:statistics", "steer_round_robin", "{}", true},
      {"steer_random:statistics", "steer_random", "{}", true},
  };
  return all;
}

// The picks and the ends of churn_custom's calls.
std::atomic<uint64_t> custom_picked{0};
std::atomic<uint64_t> custom_ended{0};

struct Tally {
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> failures{0};
  uint64_t lists = 0;

  std::mutex mutex;
  // Guarded by `mutex`.
  std::string first_failure;
};

struct Call {
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
};

// Keeps `in_flight` calls running until `over`, then waits for them.
void CallAllTheTime(std::shared_ptr<grpc::Channel> channel, uint32_t seed, int in_flight,
                    const std::atomic<bool>& over, Tally& tally) {
  std::mt19937 random(seed);
  grpc::CompletionQueue queue;
  auto stub = std::make_unique<grpc::GenericStub>(std::move(channel));
  const grpc::Slice slice("hello");
  const grpc::ByteBuffer request(&slice, 1);
  int running = 0;
  const auto start = [&] {
    auto* const call = new Call;
    const uint32_t ms = random() % kCallsPerLong == 0 ? kLongMs : random() % kShortMs;
    call->context.AddMetadata(kDelayHeader, std::to_string(ms));
    call->context.AddMetadata(kHashHeader, std::to_string(random()));
    call->context.set_wait_for_ready(true);
    call->context.set_deadline(std::chrono::system_clock::now() + kHanging);
    call->reader = stub->PrepareUnaryCall(&call->context, "/steer.test.Soak/Call", request, &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
    ++running;
  };
  for (int i = 0; i < in_flight; ++i) start();
  void* tag;
  bool ok;
  while (running > 0 && queue.Next(&tag, &ok)) {
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    --running;
    ++tally.calls;
    if (!call->status.ok() && tally.failures++ == 0) {
      const std::lock_guard<std::mutex> lock(tally.mutex);
      tally.first_failure = std::to_string(call->status.error_code()) + " " +
                            call->status.error_message() + " from " + call->context.peer();
    }
    if (!over) {
      start();
    } else {
      // The channel ends with its last call.
      stub.reset();
    }
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

// Makes one channel, uses it, and releases it.
void ChurnOnce(const Churned& churned, const std::vector<int>& ports, Clock::duration time,
               const ChurnOptions& options, Tally& tally) {
  std::mt19937 random(std::random_device{}());
  steer_test::ResolverFeed feed;
  auto channel = steer_test::MakeChannel(feed.target(),
                                         steer_test::ServiceConfig(churned.policy, churned.config));
  std::vector<int> order = ports;
  const auto feed_some = [&] {
    // Alternates between two halves, so that all backends leave; sometimes takes a random half.
    if (random() % 4 == 0) {
      std::shuffle(order.begin(), order.end(), random);
    } else {
      std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2),
                  order.end());
    }
    feed.FeedPorts({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2)})
        .wait();
    ++tally.lists;
  };
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < options.threads; ++i) {
    threads.emplace_back([&, i] {
      CallAllTheTime(channel, static_cast<uint32_t>(i), options.in_flight, over, tally);
    });
  }
  const TimePoint end = Clock::now() + time;
  // A list also lasts until one in 32 of the running calls has ended. Otherwise, on a busy machine,
  // a policy that connects only picked backends may never connect in time.
  const auto enough = static_cast<uint64_t>(options.threads * options.in_flight / 32);
  while (Clock::now() < end) {
    const uint64_t calls = tally.calls;
    feed_some();
    std::this_thread::sleep_for(kBetweenLists);
    while (tally.calls < calls + enough && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  over = true;
  channel.reset();
  for (std::thread& thread : threads) thread.join();
}

bool ChurnPolicy(const Churned& churned, const std::vector<int>& ports, Clock::duration time,
                 const ChurnOptions& options) {
  Tally tally;
  steer::TrackCalls(churned.for_statistics);
  for (int i = 0; i < kRounds; ++i) ChurnOnce(churned, ports, time / kRounds, options, tally);
  steer::TrackCalls(false);
  std::printf("%-28s %9" PRIu64 " calls, %7" PRIu64 " lists, %" PRIu64 " failed\n", churned.name,
              tally.calls.load(), tally.lists, tally.failures.load());
  if (tally.failures != 0) {
    std::printf("FAULT %s: a call failed though no server died: %s\n", churned.name,
                tally.first_failure.c_str());
  }
  return tally.failures == 0;
}

}  // namespace

bool RegisterChurned() {
  return steer::Picker(kCustom).Register(steer_api_get(), [](auto& build) {
    return [count = build.backends.size()](const steer::Call&) {
      const uint64_t pick = custom_picked.fetch_add(1, std::memory_order_relaxed);
      return steer::Choice::Complete(pick % count, [](const steer::CallEnd&) {
        custom_ended.fetch_add(1, std::memory_order_relaxed);
      });
    };
  }) == STEER_OK;
}

std::vector<std::string> ChurnedPolicies() {
  std::vector<std::string> names;
  for (const Churned& churned : All()) names.push_back(churned.name);
  return names;
}

bool Churn(Fleet& fleet, const std::vector<std::string>& policies, const ChurnOptions& options) {
  bool well = true;
  const Clock::duration each = Clock::duration(options.time) / static_cast<int>(policies.size());
  for (const std::string& name : policies) {
    const auto is = [&](const Churned& churned) { return name == churned.name; };
    const auto found = std::find_if(All().begin(), All().end(), is);
    if (found == All().end()) {
      std::printf("FAULT %s: no such policy\n", name.c_str());
      return false;
    }
    well &= ChurnPolicy(*found, fleet.ports(), each, options);
  }
  if (custom_picked != custom_ended) {
    std::printf("FAULT %s: %" PRIu64 " calls were picked, and %" PRIu64 " ended\n", kCustom,
                custom_picked.load(), custom_ended.load());
    well = false;
  }
  return well;
}

}  // namespace steer_soak
