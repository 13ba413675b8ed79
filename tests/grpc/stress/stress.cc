// The engine and the shim under stress: threads pick with the current picker, others start and
// finish the calls, one reads the statistics, and updates come at full speed. It is mainly for
// ThreadSanitizer (script/stress). Without it, it finds crashes, leaks and hangs.
//
//   stress_test --seconds=60
//   stress_test --plant=picker   self test: a picker goes from thread to thread without
//                                synchronisation; ThreadSanitizer must find it in the engine
//   stress_test --plant=update   self test: an update does; it must find it in the shim
#include <steer/grpc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "channel.h"
#include "differential/fake_call.h"
#include "differential/run_in_grpc.h"
#include "steer/steer.hpp"
#include "support/wait.h"
#include "timers.h"

ABSL_FLAG(double, seconds, 5, "how long it runs, for all policies together");
ABSL_FLAG(uint64_t, seed, 0, "decides what the channel does; 0: a random one");
ABSL_FLAG(int, threads, 8, "how many threads pick");
ABSL_FLAG(std::string, policy, "", "runs only this policy");
ABSL_FLAG(std::string, plant, "", "picker or update: runs only this planted race");

namespace steer_testing {
namespace {

using Time = std::chrono::steady_clock;
using Complete = GrpcPolicy::PickResult::Complete;

// A custom picker that counts its calls, reads a header, and sometimes reports a fault, after which
// the fallback replaces it.
constexpr char kOwn[] = "stress_own";

bool RegisterOwn() {
  return steer::Picker(kOwn).Register(steer_api_get(), [](auto& build) {
    build.WantHeader("user");
    build.WantMetrics();
    struct Shared {
      std::atomic<uint64_t> picks{0};
      std::atomic<uint64_t> ends{0};
    };
    return [shared = std::make_shared<Shared>(),
            count = build.backends.size()](const steer::Call& call) {
      const uint64_t pick = shared->picks.fetch_add(1, std::memory_order_relaxed);
      if (pick % 20000 == 19999) return steer::Choice::Fault("planned");
      if (pick % 64 == 63) return steer::Choice::Queue();
      const size_t backend = (pick + call.Header("user").value_or("").size()) % count;
      if (pick % 2 == 0) return steer::Choice::Complete(backend);
      return steer::Choice::Complete(backend, [shared](const steer::CallEnd&) {
        shared->ends.fetch_add(1, std::memory_order_relaxed);
      });
    };
  }) == STEER_OK;
}

const std::vector<Stressed>& AllStressed() {
  static const auto* all = new std::vector<Stressed>{
      {"steer_round_robin", {"{}"}},
      {"steer_random", {"{}"}},
      {"steer_weighted_round_robin",
       {R"({"weightUpdatePeriod":"0.1s","blackoutPeriod":"0s"})",
        R"({"weightUpdatePeriod":"0.2s","blackoutPeriod":"0.01s","weightExpirationPeriod":"1s"})",
        R"({"weights":{"ipv4:127.0.0.1:10001":3,"ipv4:127.0.0.1:10002":0.5}})"}},
      {"steer_least_request", {"{}", R"({"choiceCount":5})"}},
      {"steer_peak_ewma",
       {"{}", R"({"fullScanBelow":50,"decayTime":"0.001s"})", R"({"choiceCount":3})"}},
      {"steer_prequal", {"{}", R"({"poolSize":3})", R"({"rifQuantile":0.5})"}},
      {"steer_ring_hash",
       {R"({"requestHashHeader":"user","minRingSize":64})",
        R"({"requestHashHeader":"user","minRingSize":64,"hashBalanceFactor":125})"}},
      {"steer_maglev",
       {R"({"requestHashHeader":"user","tableSize":1009})",
        R"({"requestHashHeader":"user","tableSize":251,"hashBalanceFactor":150})"}},
      {kOwn, {"{}"}},
      // Each config names a child of another kind.
      {"steer_subset",
       {R"({"subsetSize":3,"childPolicy":[{"steer_least_request":{}}]})",
        R"({"subsetSize":5,)"
        R"("childPolicy":[{"steer_priority":{"childPolicy":[{"stress_own":{}}]}}]})",
        R"({"subsetSize":4})"}},
      {"steer_locality",
       {R"({"childPolicy":[{"steer_peak_ewma":{}}]})",
        R"({"childPolicy":[{"steer_slow_start":{"childPolicy":[{"steer_least_request":{}}]}}]})"}},
      {"steer_slow_start",
       {R"({"slowStartWindow":"0.05s"})",
        R"({"slowStartWindow":"0.1s","childPolicy":[{"steer_weighted_round_robin":{}}]})"}},
  };
  return *all;
}

// A picked call. The pick's result may be in the call's memory.
struct PickedCall {
  FakeCallState state;
  GrpcPolicy::PickResult result;
};
using CallPtr = std::unique_ptr<PickedCall>;

// Ends calls in various ways. One thread at a time.
class Ends {
 public:
  explicit Ends(uint64_t seed) : random_(seed) {}

  void End(CallPtr call) {
    const auto* complete = AlternativeOf<Complete>(call->result.result);
    CallTracker* const tracker = complete->subchannel_call_tracker.get();
    const uint64_t how = random_();
    // Some calls never start, and some of the others never end.
    if (how % 8 == 0) return;
    StartCall(tracker, 0);
    if (how % 8 == 1) return;
    absl::Status status;
    if (how % 8 == 2) status = absl::UnavailableError("reset");
    if (how % 8 == 3) status = absl::CancelledError();
    FinishCall(tracker, how % 16 < 8 ? nullptr : &loads_[how / 16 % 2], status);
  }

 private:
  std::mt19937_64 random_;
  FakeLoad loads_[2] = {{100, 0.5}, {1000, 0.25}};
};

// Running calls: one thread picks them, another one finishes them.
class Calls {
 public:
  // Adds the call. Returns an old one if there are many.
  CallPtr Add(CallPtr call) {
    const std::lock_guard<std::mutex> lock(lock_);
    calls_.push_back(std::move(call));
    return calls_.size() > kMost ? Take() : nullptr;
  }
  // Null: there is none.
  CallPtr Next() {
    const std::lock_guard<std::mutex> lock(lock_);
    return calls_.empty() ? nullptr : Take();
  }

 private:
  // Enough that calls outlive several pickers.
  static constexpr size_t kMost = 500;

  CallPtr Take() {
    CallPtr call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }

  std::mutex lock_;
  std::deque<CallPtr> calls_;
};

// Everything that a thread of a round needs.
struct Round {
  StressedChannel& channel;
  Calls& calls;
  Tally& tally;
  const std::atomic<bool>& over;
};

// Makes one pick. A tracked call goes on running afterwards.
void PickOnce(const Round& round, PickerPtr& picker, FakeMetadata* headers, Ends* ends) {
  auto call = std::make_unique<PickedCall>();
  call->result = picker->Pick({"/helloworld.Greeter/SayHello", headers, &call->state});
  round.tally.picks.fetch_add(1, std::memory_order_relaxed);
  auto* complete = const_cast<Complete*>(AlternativeOf<Complete>(call->result.result));
  if (complete == nullptr) return;
  round.channel.Picked(static_cast<const FakeSubchannel&>(*complete->subchannel));
  // As in gRPC, a call keeps only the tracker of the pick.
  complete->subchannel.reset();
  round.tally.completed.fetch_add(1, std::memory_order_relaxed);
  if (complete->subchannel_call_tracker == nullptr) return;
  round.tally.tracked.fetch_add(1, std::memory_order_relaxed);
  if (CallPtr old = round.calls.Add(std::move(call))) ends->End(std::move(old));
}

void Pick(const Round& round, uint64_t seed) {
  const ThreadScope scope;
  // Makes only this thread nicer. There may be fewer cores than threads, and updates should come at
  // full speed.
  [[maybe_unused]] const int nicer = nice(10);
  std::mt19937_64 random(seed);
  FakeMetadata headers("user", "");
  Ends ends(seed);
  while (!round.over) {
    StressedChannel::SharedPicker picker = round.channel.picker();
    if (picker == nullptr) continue;
    // Often only one pick, so that pickers are released at once.
    const std::string user = std::to_string(random() % 1000);
    headers.set_value(user);
    const uint64_t picks = random() % 2 == 0 ? 1 : 1 + random() % 64;
    for (uint64_t i = 0; i < picks; ++i) PickOnce(round, *picker, &headers, &ends);
    picker.reset();
    round.channel.Flush();
  }
}

void Finish(const Round& round, uint64_t seed) {
  const ThreadScope scope;
  Ends ends(seed);
  while (!round.over) {
    CallPtr call = round.calls.Next();
    if (call == nullptr) {
      std::this_thread::yield();
    } else {
      ends.End(std::move(call));
      round.channel.Flush();
    }
  }
}

void Change(const Round& round) {
  const ThreadScope scope;
  while (!round.over) {
    round.channel.Step();
    // Lets timers and the work of picks into the serializer.
    std::this_thread::yield();
  }
}

void ReadStatistics(const Round& round) {
  const ThreadScope scope;
  for (bool track = true; !round.over; track = !track) {
    steer::TrackCalls(track);
    if (steer::StatsJson().front() != '{' || steer::StatsPrometheus().empty()) std::abort();
    ++round.tally.statistics;
    round.channel.Flush();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Stress(const Stressed& stressed, Time::duration time, uint64_t seed) {
  std::mt19937_64 random(seed);
  Tally tally;
  {
    std::atomic<bool> over{false};
    StressedChannel channel(stressed, random(), &tally);
    Calls calls;
    const Round round = {channel, calls, tally, over};
    std::vector<std::thread> threads;
    for (int i = 0; i < absl::GetFlag(FLAGS_threads); ++i) {
      threads.emplace_back(Pick, std::cref(round), random());
    }
    for (int i = 0; i < 2; ++i) threads.emplace_back(Finish, std::cref(round), random());
    threads.emplace_back(ReadStatistics, std::cref(round));
    // Serialised events may come on any thread.
    for (int i = 0; i < 4; ++i) threads.emplace_back(Change, std::cref(round));
    std::this_thread::sleep_for(time);
    // On a busy machine the first call may be completed later.
    steer_test::WaitUntil([&] { return tally.completed > 0; });
    over = true;
    for (std::thread& thread : threads) thread.join();
    channel.Orphan();
    // The remaining calls end after their channel.
    Ends ends(random());
    while (CallPtr call = calls.Next()) ends.End(std::move(call));
    channel.Drain();
    DropTimers();
  }
  std::printf(
      "%-28s %9llu picks, %9llu completed, %8llu tracked, %7llu pickers, %7llu reports, %6llu "
      "updates, %4llu statistics\n",
      stressed.policy, static_cast<unsigned long long>(tally.picks),
      static_cast<unsigned long long>(tally.completed),
      static_cast<unsigned long long>(tally.tracked),
      static_cast<unsigned long long>(tally.pickers),
      static_cast<unsigned long long>(tally.reports),
      static_cast<unsigned long long>(tally.updates),
      static_cast<unsigned long long>(tally.statistics));
  std::fflush(stdout);
  if (tally.completed == 0) {
    std::fprintf(stderr, "stress: no call was completed\n");
    std::abort();
  }
}

// A planted race: two threads run one after the other, but the flag between them is relaxed and so
// orders nothing. It does no harm on real processors, and is still a data race.
template <typename First, typename Second>
void Unsynchronised(First first, Second second) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    const ThreadScope scope;
    first();
    done.store(true, std::memory_order_relaxed);
  });
  while (!done.load(std::memory_order_relaxed)) std::this_thread::yield();
  second();
  other.join();
}

int Plant(const std::string& what) {
  Tally tally;
  StressedChannel channel(AllStressed()[0], 1, &tally);
  if (what == "picker") {
    // Nothing is READY yet, because a connection's reference count would synchronise the threads.
    const auto owner = channel.picker();
    // The raw pointer, so that no race of the owner itself is found instead.
    auto* const picker = owner->get();
    Unsynchronised([&] { (void)picker->Pick({"/", nullptr, nullptr}); }, [&] { owner->reset(); });
  } else {
    Unsynchronised([&] { channel.UpdateUnlocked(); }, [&] { channel.UpdateUnlocked(); });
  }
  channel.Orphan();
  std::printf("planted: %s\n", what.c_str());
  return EXIT_SUCCESS;
}

int Main() {
  const std::string plant = absl::GetFlag(FLAGS_plant);
  if (!plant.empty()) return Plant(plant);
  const std::string only = absl::GetFlag(FLAGS_policy);
  std::vector<Stressed> all;
  for (const Stressed& stressed : AllStressed()) {
    if (only.empty() || only == stressed.policy) all.push_back(stressed);
  }
  if (all.empty()) return EXIT_FAILURE;
  uint64_t seed = absl::GetFlag(FLAGS_seed);
  if (seed == 0) seed = std::random_device()();
  std::printf("--seed=%llu\n", static_cast<unsigned long long>(seed));
  const std::chrono::duration<double> seconds(absl::GetFlag(FLAGS_seconds));
  const auto each = std::chrono::duration_cast<Time::duration>(seconds / all.size());
  for (const Stressed& stressed : all) Stress(stressed, each, seed++);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("picks, updates, calls and statistics, all at once");
  absl::ParseCommandLine(argc, argv);
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  if (!steer_testing::RegisterOwn()) return EXIT_FAILURE;
  return steer_testing::RunInGrpc(steer_testing::Main);
}
