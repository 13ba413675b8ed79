// Measures the cost of one pick: gRPC's round_robin and Steer's in one run, and custom pickers.
//
// As in gRPC, the registry makes a policy, which gets addresses and connectivity reports, and its
// latest picker picks. Everything below the picker is a fake.
//
// Names have the form <policy>/<backends>/<how>:
//   alone     one thread
//   together  two threads with one picker and without a lock, as in channels since gRPC 1.54. It
//             shows whether picks write to common cache lines. gRPC's older round_robin is not made
//             for this, but its index stays in range.
//   locked    two threads with one picker and one mutex, as in channels up to gRPC 1.53
//   watched   `alone`, while another thread reads Steer's statistics in a loop
//
// Must not depend on: how a picker works.

#include <benchmark/benchmark.h>
#include <steer/grpc.h>
#include <steer/picker.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <steer/text.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ready_channel.h"
#include "run_in_grpc.h"

namespace {

using steer_testing::ReadyChannel;

// A READY channel, and the arguments of its picks.
class Subject {
 public:
  Subject(const std::string& policy, int backends) : channel_(policy) {
    channel_.Update(steer_testing::UpdateTo(backends));
    if (channel_.ready()) return;
    std::fprintf(stderr, "%s is not READY\n", policy.c_str());
    std::exit(EXIT_FAILURE);
  }

  void Pick() {
    auto result = channel_.Pick(args_);
    benchmark::DoNotOptimize(result);
  }
  void PickLocked() {
    grpc_core::MutexLock lock(&mutex_);
    Pick();
  }

 private:
  // Made in advance: reading arguments that were just written would stall picks for longer than
  // they take.
  const ReadyChannel::PickArgs args_ = {"/helloworld.Greeter/SayHello", nullptr, nullptr};
  grpc_core::Mutex mutex_;
  ReadyChannel channel_;
};

// Reads Steer's statistics as fast as it can.
class StatisticsReader {
 public:
  StatisticsReader()
      : thread_([this] {
          while (!stop_.load(std::memory_order_relaxed)) {
            benchmark::DoNotOptimize(steer::StatsJson());
          }
        }) {}
  ~StatisticsReader() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The position of a channel's parts in memory changes the result, so the benchmark uses several
// channels of each kind in turn.
constexpr size_t kChannels = 5;
size_t g_turn = 0;

void NextTurn(const benchmark::State&) { ++g_turn; }

void RegisterFor(const std::string& policy, int backends, bool alone) {
  std::vector<std::shared_ptr<Subject>> channels;
  for (size_t i = 0; i < kChannels; ++i) {
    channels.push_back(std::make_shared<Subject>(policy, backends));
  }
  const std::string name = absl::StrCat(policy, "/", backends, "/");
  const auto pick = [channels](benchmark::State& state) {
    Subject& channel = *channels[g_turn % kChannels];
    for (auto _ : state) channel.Pick();
  };
  const auto pick_locked = [channels](benchmark::State& state) {
    Subject& channel = *channels[g_turn % kChannels];
    for (auto _ : state) channel.PickLocked();
  };
  const auto add = [&](const char* way, const auto& function, int threads, double seconds) {
    benchmark::RegisterBenchmark((name + way).c_str(), function)
        ->Threads(threads)
        ->MinTime(seconds)
        ->Setup(NextTurn);
  };
  const auto pick_watched = [pick](benchmark::State& state) {
    const StatisticsReader reader;
    pick(state);
  };
  // Short, so that other work of the machine does not disturb all repetitions. Two threads need
  // longer, so that they run at the same time.
  add("alone", pick, 1, 0.01);
  if (alone) return;
  add("together", pick, 2, 0.05);
  add("locked", pick_locked, 2, 0.05);
  if (policy == "steer_round_robin") add("watched", pick_watched, 1, 0.01);
}

}  // namespace

extern "C" const steer_plugin bench_turns;

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  if (steer_register_plugin(&bench_turns) != STEER_OK ||
      steer_load_plugin(steer_text(TURNS_LIBRARY)) != STEER_OK) {
    std::fprintf(stderr, "%s\n", steer::FromC(steer_last_error()).c_str());
    return EXIT_FAILURE;
  }
  const int status = steer_testing::RunInGrpc([] {
    // Custom pickers: turns/turns.c, linked and as a plugin, and turns/src if there is Rust.
    std::vector<std::string> custom;
    for (const char* policy : {"bench_c", "bench_c_loaded", "bench_rust"}) {
      steer_config* config = nullptr;
      if (steer_config_parse(steer_text(policy), steer_text("{}"), &config, nullptr) == STEER_OK) {
        custom.push_back(policy);
      }
      steer_config_free(config);
    }
    for (int backends : {3, 100, 1000}) {
      for (const char* policy : {"round_robin", "steer_round_robin"}) {
        RegisterFor(policy, backends, /*alone=*/false);
      }
      for (const std::string& policy : custom) RegisterFor(policy, backends, /*alone=*/true);
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::ClearRegisteredBenchmarks();
    return EXIT_SUCCESS;
  });
  benchmark::Shutdown();
  return status;
}
