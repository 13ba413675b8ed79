// Measures the cost of one pick with each of Steer's policies, and with gRPC's own if it has the
// policy, in one run.
//
// As pick_bench.cc, but each pick has a call: trackers are in its memory, and each call has another
// hash.
//
// Names have the form <policy>/<backends>/<how>:
//   alone     one thread; a tracked call is abandoned at once
//   finished  one thread; a tracked call starts and finishes
//   together  `alone` with two threads, one picker and no lock
//
// Must not depend on: how a picker works.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ready_channel.h"
#include "run_in_grpc.h"

namespace {

using steer_testing::AlternativeOf;
using steer_testing::BackendOf;
using steer_testing::FakeCallState;
using steer_testing::FakeLoad;
using steer_testing::FakeMetadata;
using steer_testing::ReadyChannel;
using Complete = ReadyChannel::PickResult::Complete;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

// The calls of one thread, one after another.
class Caller {
 public:
  explicit Caller(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (size_t i = 0; i < kHashes; ++i) {
      hashes_.push_back(random());
      users_.push_back(absl::StrCat("user-", hashes_.back()));
    }
  }

  // Returns the arguments of the next call. gRPC versions without request hashes use only the
  // header.
  const ReadyChannel::PickArgs& Next() {
    const size_t call = next_++ % kHashes;
    if (FakeCallState::kHasHash) {
      state_.set_hash(hashes_[call]);
    } else {
      headers_.set_value(users_[call]);
    }
    return args_;
  }
  void End() { state_.Free(); }

 private:
  static constexpr size_t kHashes = 1024;

  std::vector<uint64_t> hashes_;
  std::vector<std::string> users_;
  size_t next_ = 0;
  FakeCallState state_;
  FakeMetadata headers_{"user", ""};
  const ReadyChannel::PickArgs args_ = {"/helloworld.Greeter/SayHello", &headers_, &state_};
};

struct Policy {
  std::string name;
  std::string config = "{}";
  // It computes weights from load reports.
  bool weighted = false;
  // It connects to a backend when a pick chooses it.
  bool lazy = false;
  // It tracks calls.
  bool tracked = false;
  // So many backends are listed for each that is READY.
  int listed = 1;
  // Its name in the results, if that is another one.
  std::string label = "";
};

// Static weights for many backends of which few are READY. Those that are not are much heavier.
Policy FewReady(int ready, int listed) {
  std::string weights;
  for (int i = 0; i < ready * listed; ++i) {
    absl::StrAppend(&weights, i == 0 ? "" : ",", "\"127.0.0.1:", steer_testing::kFirstPort + i,
                    "\":", i < ready ? 1 + i % 10 : 1000);
  }
  Policy policy = {"steer_weighted_round_robin", absl::StrCat(R"({"weights":{)", weights, "}}")};
  policy.listed = listed;
  policy.label = absl::StrCat(policy.name, ", 1 of ", listed, " READY");
  return policy;
}

void Finish(ReadyChannel::PickResult* result, FakeLoad* load) {
  auto* complete = const_cast<Complete*>(AlternativeOf<Complete>(result->result));
  if (complete == nullptr || complete->subchannel_call_tracker == nullptr) return;
  steer_testing::StartCall(complete->subchannel_call_tracker.get(), 0);
  steer_testing::FinishCall(complete->subchannel_call_tracker.get(), load);
}

// A READY channel.
class Subject {
 public:
  Subject(const Policy& policy, int backends)
      : channel_(policy.name, policy.config), callers_{Caller(1), Caller(2)} {
    const int listed = backends * policy.listed;
    const int but = policy.weighted ? 1 : listed - backends;
    channel_.Update(steer_testing::UpdateTo(listed), static_cast<size_t>(but));
    if (policy.lazy) channel_.ConnectByPicks(static_cast<size_t>(backends));
    if (policy.weighted) {
      Report(backends);
      // Make a new picker, with the weights.
      channel_.Connect(0);
    }
    channel_.Settle();
    if (!channel_.ready()) Die(policy.name + " is not READY");
    if (policy.weighted) Check(policy, backends);
  }

  void Pick(size_t thread) {
    {
      auto result = channel_.Pick(callers_[thread].Next());
      benchmark::DoNotOptimize(result);
    }
    callers_[thread].End();
  }
  void PickAndFinish() {
    {
      auto result = channel_.Pick(callers_[0].Next());
      Finish(&result, nullptr);
      benchmark::DoNotOptimize(result);
    }
    callers_[0].End();
  }

 private:
  // The weights are 10, 5, 3⅓, … 1 times the least weight.
  void Report(int backends) {
    std::vector<std::unique_ptr<FakeLoad>> loads;
    for (int i = 0; i < 10; ++i) loads.push_back(std::make_unique<FakeLoad>(100, 0.1 * (i + 1)));
    for (int i = 0; i < 4 * backends; ++i) {
      {
        auto result = channel_.Pick(callers_[0].Next());
        const auto* complete = AlternativeOf<Complete>(result.result);
        if (complete == nullptr) Die("a pick led to nothing");
        Finish(&result, loads[BackendOf(*complete).address % loads.size()].get());
      }
      callers_[0].End();
    }
  }

  void Check(const Policy& policy, int backends) {
    std::vector<int> picks(static_cast<size_t>(backends));
    for (int i = 0; i < 50 * backends; ++i) {
      {
        auto result = channel_.Pick(callers_[0].Next());
        ++picks[BackendOf(*AlternativeOf<Complete>(result.result)).address];
      }
      callers_[0].End();
    }
    const auto [least, most] = std::minmax_element(picks.begin(), picks.end());
    if (2 * *most < 3 * *least) {
      Die(absl::StrCat(policy.name, " has no weights: ", *least, " to ", *most, " picks"));
    }
  }

  ReadyChannel channel_;
  Caller callers_[2];
};

// The position of a channel's parts in memory changes the result, so the benchmark uses several
// channels of each kind in turn.
constexpr size_t kChannels = 3;
size_t g_turn = 0;

void NextTurn(const benchmark::State&) { ++g_turn; }

// Made when first used, which a filter may prevent.
class Subjects {
 public:
  Subjects(Policy policy, int backends) : policy_(std::move(policy)), backends_(backends) {}

  Subject& Current() {
    std::call_once(made_, [this] {
      // The benchmark's threads have none.
      steer_testing::ThreadScope scope;
      for (auto& subject : subjects_) subject = std::make_unique<Subject>(policy_, backends_);
    });
    return *subjects_[g_turn % kChannels];
  }

 private:
  const Policy policy_;
  const int backends_;
  std::once_flag made_;
  std::unique_ptr<Subject> subjects_[kChannels];
};

void RegisterFor(const Policy& policy, int backends) {
  const std::string label = policy.label.empty() ? policy.name : policy.label;
  const auto subjects = std::make_shared<Subjects>(policy, backends);
  const auto pick = [subjects](benchmark::State& state) {
    Subject& subject = subjects->Current();
    const auto thread = static_cast<size_t>(state.thread_index());
    for (auto _ : state) subject.Pick(thread);
  };
  const auto finish = [subjects](benchmark::State& state) {
    Subject& subject = subjects->Current();
    for (auto _ : state) subject.PickAndFinish();
  };
  const auto add = [&](const char* way, const auto& function, int threads, double seconds) {
    benchmark::RegisterBenchmark(absl::StrCat(label, "/", backends, "/", way).c_str(), function)
        ->Threads(threads)
        ->MinTime(seconds)
        ->Setup(NextTurn);
  };
  // Short, so that other work of the machine does not disturb all repetitions. Two threads need
  // longer, so that they run at the same time.
  add("alone", pick, 1, 0.01);
  add("together", pick, 2, 0.05);
  if (policy.tracked) add("finished", finish, 1, 0.01);
}

bool GrpcHas(const Policy& policy) {
  return steer_testing::ParsePolicyConfig(
             absl::StrCat("[{\"", policy.name, "\":", policy.config, "}]"))
      .ok();
}

void RegisterAll() {
  const std::string by = FakeCallState::kHasHash ? "{}" : R"({"requestHashHeader":"user"})";
  // Weights apply at once, and are never updated.
  const std::string once = R"({"blackoutPeriod":"0s","weightUpdatePeriod":"100000s"})";
  const Policy policies[] = {
      {"steer_round_robin"},
      {"steer_random"},
      {"steer_least_request", "{}", false, false, true},
      {"steer_peak_ewma", "{}", false, false, true},
      {"steer_prequal", "{}", false, false, true},
      {"steer_maglev", by},
      {"steer_ring_hash", by, false, true},
      {"ring_hash_experimental", "{}", false, true},
      {"steer_weighted_round_robin", once, true, false, true},
      {"weighted_round_robin", once, true, false, true},
  };
  // A policy with children costs one call more, and nothing above round robin.
  for (const char* child : {"steer_round_robin", "steer_random"}) {
    for (const char* parent : {"steer_subset", "steer_locality"}) {
      Policy policy = {
          parent, absl::StrCat(R"({"subsetSize":100000,"childPolicy":[{")", child, R"(":{}}]})")};
      policy.label = absl::StrCat(parent, " above ", child);
      for (int backends : {3, 100, 1000}) RegisterFor(policy, backends);
    }
  }
  for (const Policy& policy : policies) {
    // gRPC's own policies, if they work without xDS; before 1.62, ring_hash did not.
    const bool own = policy.name.rfind("steer_", 0) != 0;
    if (own && (STEER_TEST_GENERATION != 3 || !GrpcHas(policy))) continue;
    for (int backends : {3, 100, 1000}) RegisterFor(policy, backends);
  }
  // More than a picker holds side by side.
  RegisterFor(FewReady(2000, 10), 2000);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  const int status = steer_testing::RunInGrpc([] {
    RegisterAll();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::ClearRegisteredBenchmarks();
    return EXIT_SUCCESS;
  });
  benchmark::Shutdown();
  return status;
}
