// Measures the control plane: the cost of address lists and connectivity reports, by the number of
// backends, for Steer's policies and gRPC's own in one run.
//
// gRPC's registry makes the policies. A fake channel (tests/grpc/differential/fleet_channel.h)
// sends them what a real channel would. The benchmark measures the CPU time of the process, so that
// threads of policies count too.
//
// Prints JSON in the format of Google Benchmark, one line for each measurement. Names have the form
// <policy>/<backends>/<operation>; control_results.py describes the operations. `bytes`, `heap_...`
// and `rss_...` are in bytes, not times.
//
// Usage: steer_control_bench [--only=TEXT] [--seconds=N] [--keep-heap]
//   --only: only policies and sizes whose /<policy>/<backends>/ contains this text
//   --seconds: repeat each of these for this long, but at least once
//   --keep-heap: the process keeps freed memory, so that only the first measurement gets memory
//     from the kernel
//
// Must not depend on: how a policy works.

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "churn.h"
#include "fleet_channel.h"
#include "run_in_grpc.h"
#include "support/memory.h"

namespace {

using steer_testing::FakeCallState;
using steer_testing::FakeChannel;
using steer_testing::FleetChannel;
using steer_testing::ResolverUpdate;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

struct Policy {
  std::string name;
  // Returns the config for this number of backends. `variant` 1 makes another ring.
  std::function<std::string(uint32_t backends, int variant)> config;
  // It computes weights from load reports.
  bool weighted = false;
  // It connects to a backend when a pick chooses it.
  bool lazy = false;

  // Whether it is gRPC's own policy.
  bool own() const { return name.rfind("steer_", 0) != 0; }
};

double CpuNow() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// All measurements, by name.
using Results = std::vector<std::pair<std::string, double>>;

class Life {
 public:
  Life(const Policy& policy, uint32_t backends, Results* results)
      : policy_(policy),
        backends_(backends),
        times_(policy.own() && backends > 1000 ? 1 : 5),
        results_(results) {}

  void Live() {
    if (policy_.lazy) RebuildRings();
    FleetChannel channel(policy_.name, policy_.config(backends_, 0), 3 * backends_);
    Prepare(channel);
    channel_ = &channel;
    for (uint32_t i = 0; i < backends_; ++i) addresses_.push_back(i);
    next_ = backends_;
    const double empty = static_cast<double>(steer_test::Memory::Read().heap);

    Timed("first", WithArgs(), [&](auto args) {
      channel.Update(std::move(args));
      channel.Answer();
    });
    if (policy_.lazy) ConnectByPicks();
    Timed("ready", [&] { ForAll(GRPC_CHANNEL_READY); });
    Keep("bytes", (static_cast<double>(steer_test::Memory::Read().heap) - empty) / backends_);
    Check();

    if (policy_.weighted) channel.Call(2 * backends_);
    Timed("flap", [&] {
      for (const uint32_t address : addresses_)
        channel.SayHealth(address, GRPC_CHANNEL_TRANSIENT_FAILURE);
      for (const uint32_t address : addresses_) channel.SayHealth(address, GRPC_CHANNEL_READY);
    });
    Check();

    if (policy_.weighted) channel.Call(2 * backends_);
    for (int i = 0; i < times_; ++i) {
      auto args = Args();
      const double start = CpuNow();
      channel.Update(std::move(args));
      const double returned = CpuNow();
      channel.Answer();
      const double answered = CpuNow();
      Keep("repeat", returned - start);
      Keep("repeat_all", answered - start);
      Check();
    }
    for (int i = 0; i < times_; ++i) {
      uint32_t& changed = addresses_[(i + 1) * backends_ / (times_ + 1)];
      const uint32_t gone = std::exchange(changed, next_++);
      Timed("change", WithArgs(), [&](auto args) {
        channel.Update(std::move(args));
        channel.Answer();
        if (channel.StateAt(changed) == GRPC_CHANNEL_CONNECTING)
          channel.Become(changed, GRPC_CHANNEL_READY);
      });
      channel.Forget(gone);
      if (policy_.lazy) ConnectByPicks(), ForAll(GRPC_CHANNEL_READY);
      Check();
    }

    const auto gone = std::exchange(addresses_, {});
    for (uint32_t i = 0; i < backends_; ++i) addresses_.push_back(next_++);
    size_t connected = 0;
    Timed("replace", WithArgs(), [&](auto args) {
      channel.Update(std::move(args));
      channel.Answer();
      // Until the new list has replaced the old one.
      while (channel.live() > backends_ && connected < addresses_.size()) {
        channel.Become(addresses_[connected++], GRPC_CHANNEL_READY);
      }
    });
    if (policy_.lazy) ConnectByPicks();
    ForAll(GRPC_CHANNEL_READY);
    Check();
  }

 private:
  void Prepare(FleetChannel& channel) {
    // Only gRPC's own policy has a limit; its default is 4096.
    if (policy_.lazy) channel.channel().SetArg("grpc.lb.ring_hash.ring_size_cap", 8388608);
  }

  // Rebuilds rings while no backend is connected, so that the policy does nothing else.
  void RebuildRings() {
    FleetChannel channel(policy_.name, policy_.config(backends_, 0), backends_);
    Prepare(channel);
    ResolverUpdate update;
    for (uint32_t i = 0; i < backends_; ++i) update.addresses.push_back({i, 0, 0, 0});
    channel.Update(channel.channel().ArgsOf(update));
    channel.Answer();
    for (int i = 0; i < times_; ++i) {
      channel.Configure(policy_.config(backends_, 1 - i % 2));
      auto args = channel.channel().ArgsOf(update);
      const double start = CpuNow();
      channel.Update(std::move(args));
      channel.Answer();
      Keep("ring", CpuNow() - start);
    }
  }

  void Keep(const char* what, double value) {
    results_->emplace_back(absl::StrCat(policy_.name, "/", backends_, "/", what), value);
  }

  template <typename Action>
  void Timed(const char* what, Action action) {
    const double start = CpuNow();
    action();
    Keep(what, CpuNow() - start);
  }
  struct WithArgs {};
  // Not timed: the arguments of the update, which the resolver makes.
  template <typename Action>
  void Timed(const char* what, WithArgs, Action action) {
    auto args = Args();
    const double start = CpuNow();
    action(std::move(args));
    Keep(what, CpuNow() - start);
  }

  FakeChannel::UpdateArgs Args() {
    ResolverUpdate update;
    update.addresses.reserve(addresses_.size());
    for (const uint32_t address : addresses_) update.addresses.push_back({address, 0, 0, 0});
    return channel_->channel().ArgsOf(update);
  }

  void ForAll(grpc_connectivity_state state) {
    for (const uint32_t address : addresses_) {
      if (channel_->StateAt(address) != state) channel_->Become(address, state);
    }
  }

  void Check() {
    if (channel_->state() != GRPC_CHANNEL_READY) Die(policy_.name + " is not READY");
    if (channel_->live() != backends_) {
      Die(absl::StrCat(policy_.name, " has ", channel_->live(), " of ", backends_, " subchannels"));
    }
  }

  size_t Connecting() {
    return std::count_if(addresses_.begin(), addresses_.end(), [&](uint32_t address) {
      return channel_->StateAt(address) != GRPC_CHANNEL_IDLE;
    });
  }

  void ConnectByPicks() {
    for (int round = 0; Connecting() < backends_; ++round) {
      if (round == 200) Die(policy_.name + " does not connect");
      channel_->PickByHashes(4 * backends_);
      channel_->Settle();
    }
  }

  const Policy& policy_;
  const uint32_t backends_;
  // The number of repetitions of short operations. They are not short in gRPC's own policies.
  const int times_;
  Results* const results_;
  FleetChannel* channel_ = nullptr;
  std::vector<uint32_t> addresses_;
  uint32_t next_ = 0;
};

bool GrpcHas(const Policy& policy) {
  return steer_testing::ParsePolicyConfig(
             absl::StrCat("[{\"", policy.name, "\":", policy.config(100, 0), "}]"))
      .ok();
}

std::vector<Policy> Policies() {
  const auto none = [](uint32_t, int) { return std::string("{}"); };
  const std::string header = FakeCallState::kHasHash ? "" : R"(,"requestHashHeader":"user")";
  const auto ring = [header](uint32_t backends, int variant) {
    const uint32_t entries = (10 + variant) * backends;
    return absl::StrCat("{\"minRingSize\":", entries, ",\"maxRingSize\":", entries, header, "}");
  };
  // Primes.
  const auto table = [header](uint32_t backends, int) {
    return absl::StrCat("{\"tableSize\":", backends <= 10000 ? 65537 : 1000003, header, "}");
  };
  // Weights apply at once, and a timer never updates them.
  const auto once = [](uint32_t, int) {
    return std::string(R"({"blackoutPeriod":"0s","weightUpdatePeriod":"100000s"})");
  };
  std::vector<Policy> policies = {
      {"round_robin", none},
      {"steer_round_robin", none},
      {"weighted_round_robin", once, true},
      {"steer_weighted_round_robin", once, true},
      {"ring_hash_experimental", ring, false, true},
      {"steer_ring_hash", ring, false, true},
      {"steer_maglev", table},
  };
  // Before 1.62, ring_hash worked only with xDS.
  policies.erase(std::remove_if(policies.begin(), policies.end(),
                                [](const Policy& policy) {
                                  return policy.own() && policy.name != "round_robin" &&
                                         (STEER_TEST_GENERATION != 3 || !GrpcHas(policy));
                                }),
                 policies.end());
  return policies;
}

void Measure(const std::string& only, double seconds, bool keep_heap, Results* results) {
  const auto policies = Policies();
  for (const uint32_t backends : {100, 1000, 10000, 100000}) {
    std::map<std::string, double> spent;
    // The policies in turn, so that other work of the machine affects all alike.
    for (bool again = true; again;) {
      again = false;
      for (const Policy& policy : policies) {
        if (policy.own() && backends > 10000) continue;
        if (!absl::StrContains(absl::StrCat("/", policy.name, "/", backends, "/"), only)) continue;
        double& cpu = spent[policy.name];
        if (cpu > seconds * 1e9) continue;
        const double start = CpuNow();
        Life(policy, backends, results).Live();
        if (!keep_heap) malloc_trim(0);
        cpu += CpuNow() - start;
        again = true;
      }
    }
  }
}

// Measures the memory after many lists were replaced.
void MeasureChurn(const std::string& only, Results* results) {
  for (const Policy& policy : Policies()) {
    const std::string name = absl::StrCat(policy.name, "/", steer_testing::kChurnBackends, "/");
    if (policy.own() || !absl::StrContains(absl::StrCat("/", name, "churn/"), only)) continue;
    const auto memory = steer_testing::Churn(
        policy.name, policy.config(steer_testing::kChurnBackends, 0), policy.lazy, 1000);
    results->emplace_back(name + "heap_early", memory.early.heap);
    results->emplace_back(name + "heap_late", memory.late.heap);
    results->emplace_back(name + "rss_early", memory.early.resident);
    results->emplace_back(name + "rss_late", memory.late.resident);
  }
}

void Print(const Results& results) {
  char date[64];
  const time_t now = time(nullptr);
  strftime(date, sizeof(date), "%FT%T", localtime(&now));
  double load[3] = {0, 0, 0};
  getloadavg(load, 3);
  std::printf("{\"context\":{\"date\":\"%s\",\"num_cpus\":%u,\"load_avg\":[%.2f,%.2f,%.2f]},\n",
              date, std::thread::hardware_concurrency(), load[0], load[1], load[2]);
  std::printf("\"benchmarks\":[");
  const char* separator = "\n";
  for (const auto& [name, value] : results) {
    std::printf("%s{\"name\":\"%s\",\"run_type\":\"iteration\",\"cpu_time\":%.1f}", separator,
                name.c_str(), value);
    separator = ",\n";
  }
  std::printf("\n]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::string only;
  double seconds = 1;
  bool keep_heap = false;
  for (int i = 1; i < argc; ++i) {
    absl::string_view arg = argv[i];
    if (absl::ConsumePrefix(&arg, "--only=")) {
      only = std::string(arg);
    } else if (arg == "--keep-heap") {
      keep_heap = true;
      mallopt(M_MMAP_MAX, 0);
      mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    } else if (!absl::ConsumePrefix(&arg, "--seconds=") || !absl::SimpleAtod(arg, &seconds)) {
      Die("usage: steer_control_bench [--only=TEXT] [--seconds=N] [--keep-heap]");
    }
  }
  return steer_testing::RunInGrpc([&] {
    Results results;
    // First, because memory that others have freed would hide what this one allocates.
    MeasureChurn(only, &results);
    Measure(only, seconds, keep_heap, &results);
    Print(results);
    return EXIT_SUCCESS;
  });
}
