// A long run with real gRPC: hundreds of servers in a few processes, client threads that call all
// the time, servers that die and return, address lists that change all the time. docs/soak.md says
// what it does and what it demands.
//
//   steer_soak [--seconds=N] [--servers=N] [--processes=N] [--rate=N] [--stall=MS]
//              [--policies=A,B,...]
//   steer_soak --churn [--seconds=N] [--servers=N] [--processes=N] [--policies=A,B,...]
//
// There is one channel for each policy. The exit status is 1 if there was a fault, and 75 if the
// process may not open enough file descriptors. --churn is another mode, see churn.h.
#include <sched.h>
#include <steer/grpc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "soak/callers.h"
#include "soak/churn.h"
#include "soak/fleet.h"
#include "soak/judge.h"
#include "soak/planted.h"
#include "soak/policies.h"
#include "soak/reading.h"
#include "soak/sockets.h"
#include "soak/trouble.h"
#include "soak/turn.h"
#include "soak/witness.h"
#include "support/client.h"
#include "support/resolver_feed.h"
#include "support/wait.h"

namespace steer_soak {
namespace {

struct Options {
  bool churn = false;
  int seconds = 180;
  int servers = 200;
  int processes = 8;
  int rate = 500;
  // In milliseconds: a call that takes longer to the wire is late.
  int stall = 100;
  std::string policies =
      "steer_round_robin,steer_least_request,steer_weighted_round_robin,steer_ring_hash,rotating";
};

std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ",") + part;
  return list;
}

// The defaults of the mode --churn.
Options ChurnDefaults() {
  Options options;
  options.churn = true;
  options.seconds = 60;
  options.servers = 64;
  options.processes = 1;
  options.policies = Join(ChurnedPolicies());
  return options;
}

bool ParseOptions(int argc, char** argv, Options* options) {
  const auto is_churn = [](const char* argument) { return std::string(argument) == "--churn"; };
  if (std::any_of(argv + 1, argv + argc, is_churn)) *options = ChurnDefaults();
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (argument == "--churn") continue;
    if (name == "--policies" && !value.empty()) {
      options->policies = value;
      continue;
    }
    int* const number = name == "--seconds"     ? &options->seconds
                        : name == "--servers"   ? &options->servers
                        : name == "--processes" ? &options->processes
                        : name == "--rate"      ? &options->rate
                        : name == "--stall"     ? &options->stall
                                                : nullptr;
    if (number == nullptr || (*number = std::atoi(value.c_str())) < 2) {
      std::fprintf(stderr, "soak: cannot take the argument %s\n", argument.c_str());
      return false;
    }
  }
  return true;
}

// Left-over connections that are not a fault: gRPC 1.51.1 leaves some with its own round_robin, too
// (docs/soak.md). Those that a policy forgets add up to more.
constexpr int kMostForgotten = 10;

// Growth in bytes per second that is not a fault. The heap differs by the policy that the rotating
// channel has at a rest: peak EWMA takes 3 KB more for each backend. Resident memory grows about as
// much with gRPC 1.51.1's own round_robin (docs/soak.md).
constexpr double kHeapGrowth = 4e3;
constexpr double kResidentGrowth = 15e3;

// The pause between two channels at a rest. If all channels connect at once, two cores are busy for
// half a second, and calls wait for that.
constexpr std::chrono::milliseconds kBetweenChannels(200);

bool WaitUpTo(Clock::duration time, const std::function<bool()>& condition) {
  const TimePoint end = Clock::now() + time;
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A bound of the file descriptors that a run has open at once: a reserved port for each server, and
// a connection from each channel to each server. Connections count twice, because a policy that
// replaces another one connects before the other's connections end. A run with 200 servers and five
// channels had at most 1225 open; the bound is 2300.
rlim_t DescriptorsFor(const Options& options) {
  // The churn's channels follow each other.
  const size_t channels = options.churn ? 1 : Split(options.policies).size();
  return static_cast<rlim_t>(options.servers) * (1 + 2 * channels) + 100;
}

// Raises the soft limit of open files, which often is 1024, to the hard one. Returns false and says
// why if that is too low: then connections would fail, which would look like faults of Steer.
bool MayOpenEnoughFiles(const Options& options) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = DescriptorsFor(options);
  if (limit.rlim_cur >= needed) return true;
  std::printf("soak: %d servers need up to %" PRIuMAX
              " file descriptors, and this process may open %" PRIuMAX
              ". Raise its hard limit (ulimit -Hn), or give --servers=N with fewer servers\n",
              options.servers, static_cast<uintmax_t>(needed),
              static_cast<uintmax_t>(limit.rlim_cur));
  return false;
}

class Soak {
 public:
  Soak(const Options& options, Witness::Counts withheld)
      : options_(options),
        policies_(Split(options.policies)),
        fleet_(options.servers, options.processes),
        witness_(withheld),
        judge_(fleet_, witness_, policies_, std::chrono::milliseconds(options.stall)) {
    for (const std::string& policy : policies_) {
      const auto seed = static_cast<uint32_t>(feeds_.size());
      feeds_.push_back(std::make_unique<Feed>(policy, fleet_.ports(), seed));
      channels_.push_back(steer_test::MakeChannel(feeds_.back()->target(), ""));
    }
    Callers::Options calling;
    calling.rate = options_.rate;
    calling.long_time = std::chrono::milliseconds(options_.stall);
    callers_ = std::make_unique<Callers>(channels_, fleet_.ports(), calling);
  }

  bool Run() {
    Rest();
    // Drops the first results: all connections were made at once, and calls waited for them.
    callers_->Forget();
    readings_.clear();
    // Four rests in a short run, and one every 15 s in a long one.
    const Clock::duration cycle = std::min<Clock::duration>(
        std::chrono::seconds(15), std::chrono::seconds(options_.seconds) / 4);
    witness_.Forget();
    cpu_at_start_ = CpuSeconds();
    start_ = Clock::now();
    const TimePoint end = start_ + std::chrono::seconds(options_.seconds);
    while (Clock::now() < end) {
      callers_->Run();
      const TimePoint until = std::min(end, Clock::now() + cycle);
      while (Clock::now() < until) {
        trouble_.Make(std::min(until, Clock::now() + std::chrono::seconds(1)));
        judge_.Add(callers_->TakeRemarkable());
        // Not all deaths of the last second may be known yet.
        judge_.Decide(Clock::now() - std::chrono::seconds(1), *callers_);
      }
      Rest();
      judge_.Add(callers_->TakeRemarkable());
      PrintLine();
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
    cpu_seconds_ = CpuSeconds() - cpu_at_start_;
    judge_.Decide(TimePoint::max(), *callers_);
    JudgeMemory();
    if (callers_->forgotten() > 0)
      judge_.Fault("there were more remarkable calls than it can judge");
    PrintSummary();
    return judge_.faults() == 0;
  }

 private:
  // Starts and lists all servers. Then each channel must reach each server by one connection. When
  // no call runs, memory must not hold more than at the last rest.
  void Rest() {
    fleet_.StartAll();
    for (const auto& feed : feeds_) {
      feed->All();
      std::this_thread::sleep_for(kBetweenChannels);
    }
    callers_->BeginSweep();
    for (size_t i = 0; i < policies_.size(); ++i) {
      if (!WaitUpTo(steer_test::kPatience, [&] { return callers_->Missing(i) == 0; })) {
        judge_.Fault(policies_[i] + ": " + std::to_string(callers_->Missing(i)) +
                     " servers run and are listed, and get no calls");
      }
    }
    callers_->Pause();
    if (!WaitUpTo(steer_test::kPatience, [&] { return callers_->running() == 0; })) {
      judge_.Fault(std::to_string(callers_->running()) + " calls do not end");
    }
    const int wanted = fleet_.size() * static_cast<int>(policies_.size());
    const auto connections = [&] { return CountConnectionsTo(fleet_.ports()); };
    WaitUpTo(steer_test::kPatience, [&] { return connections() >= wanted; });
    // Left-over connections may stay for ever.
    WaitUpTo(std::chrono::seconds(3), [&] { return connections() == wanted; });
    const int more = connections() - wanted;
    if (more < 0) judge_.Fault(std::to_string(-more) + " connections are missing at rest");
    // Some memory is freed a little later.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    readings_.push_back({steer_test::Memory::Read(), more});
  }

  void JudgeMemory();
  void PrintLine() const;
  void PrintSummary() const;

  const Options options_;
  const std::vector<std::string> policies_;
  Fleet fleet_;
  Witness witness_;
  Judge judge_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::unique_ptr<Callers> callers_;
  Trouble trouble_{&fleet_, &feeds_};
  std::vector<Reading> readings_;
  TimePoint start_;
  double cpu_at_start_ = 0;
  double seconds_ = 0;
  double cpu_seconds_ = 0;
};

// gRPC 1.51.1 forgets a connection that is made just when its endpoint leaves the list, until the
// server dies. It does so with its own round_robin, too (docs/soak.md).
void Soak::JudgeMemory() {
  const int more = readings_.back().more_connections;
  if (more > kMostForgotten) {
    judge_.Fault(std::to_string(more) + " connections that no channel has a use for");
  }
  if (readings_.size() < 9) return;
  const Growth heap = GrowthOf(readings_, &steer_test::Memory::heap);
  const Growth resident = GrowthOf(readings_, &steer_test::Memory::resident);
  std::printf("growth from the middle third to the last: heap %.0f bytes, resident %.0f bytes\n",
              heap.by, resident.by);
  const double between = seconds_ / 3;
  if (heap.by > 0.02 * heap.from + kHeapGrowth * between) judge_.Fault("the heap grows");
  if (resident.by > 0.05 * resident.from + kResidentGrowth * between)
    judge_.Fault("resident memory grows");
}

void Soak::PrintLine() const {
  uint64_t calls = 0;
  double longest = 0;
  for (size_t i = 0; i < policies_.size(); ++i) {
    calls += callers_->calls(i);
    longest = std::max(longest, callers_->to_wire(i).longest());
  }
  std::printf("%5.0f s: %" PRIu64 " calls, %" PRIu64 " lost, %" PRIu64 " faults; %" PRIu64
              " lists, %" PRIu64 " kills, %" PRIu64
              " of processes; to the wire at most %.0f ms, the machine withheld at most %.0f ms; "
              "heap %.3f MB, "
              "resident %.1f MB, connections left over %d\n",
              std::chrono::duration<double>(Clock::now() - start_).count(), calls, judge_.lost(),
              judge_.faults(), trouble_.lists(), trouble_.kills(), trouble_.process_kills(),
              longest, Milliseconds(witness_.Longest()),
              static_cast<double>(readings_.back().memory.heap) / 1e6,
              static_cast<double>(readings_.back().memory.resident) / 1e6,
              readings_.back().more_connections);
}

void Soak::PrintSummary() const {
  std::printf("\n%-28s %9s %7s %6s %9s %6s %7s %7s %8s %8s %8s %8s %8s\n",
              "ms from start to wire:", "calls", "lost:", "after", "latest ms", "failed", "stalled",
              "machine", "connect", "median", "99.9 %", "longest", "in start");
  for (size_t i = 0; i < policies_.size(); ++i) {
    const Judge::Verdicts& verdicts = judge_.of(i);
    const Histogram& wire = callers_->to_wire(i);
    std::printf("%-28s %9" PRIu64 " %7" PRIu64 " %6" PRIu64 " %9.1f %6" PRIu64 " %7" PRIu64
                " %7" PRIu64 " %8" PRIu64 " %8.3f %8.3f %8.3f %8.3f\n",
                policies_[i].c_str(), callers_->calls(i), verdicts.lost_in_flight,
                verdicts.lost_after, Milliseconds(verdicts.latest), verdicts.failed,
                verdicts.stalled, verdicts.withheld, verdicts.connecting, wire.Quantile(0.5),
                wire.Quantile(0.999), wire.longest(), callers_->starting(i).longest());
  }
  std::printf("%.0f s, %.2f CPUs of the client; %" PRIu64 " faults\n", seconds_,
              cpu_seconds_ / seconds_, judge_.faults());
}

}  // namespace
}  // namespace steer_soak

namespace {

bool RunChurn(const steer_soak::Options& options) {
  steer_soak::Fleet fleet(options.servers, options.processes);
  steer_soak::ChurnOptions churn;
  churn.time = std::chrono::seconds(options.seconds);
  return steer_soak::Churn(fleet, steer_soak::Split(options.policies), churn);
}

bool RunSoak(const steer_soak::Options& options) {
  const steer_soak::Turn turn;
  // Runs before the machine's other programs, with its child processes, if that is allowed: the
  // results should not depend on those programs.
  sched_param first = {};
  first.sched_priority = 1;
  const bool before_others = sched_setscheduler(0, SCHED_RR, &first) == 0;
  std::printf("%s\n", before_others ? "SCHED_RR"
                                    : "no SCHED_RR: the machine's other programs may make it wait");
  // In a self test, no other program's work excuses the planted faults.
  using Counts = steer_soak::Witness::Counts;
  const bool self_test = options.policies.rfind("planted_", 0) == 0;
  const Counts withheld = self_test       ? Counts::kNothing
                          : before_others ? Counts::kOversleeping
                                          : Counts::kWaiting;
  return steer_soak::Soak(options, withheld).Run();
}

}  // namespace

int main(int argc, char** argv) {
  steer_test::RunWithoutThreadCaches(argv);
  steer_soak::Options options;
  if (!steer_soak::ParseOptions(argc, argv, &options)) return 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (!steer_soak::MayOpenEnoughFiles(options)) return 75;
  // A channel without calls polls its connections this often. gRPC's default is 5 s.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 1);
  if (!steer_soak::RegisterPlanted() || !steer_soak::RegisterChurned()) {
    std::fprintf(stderr, "soak: cannot register its custom policies\n");
    return 1;
  }
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::fprintf(stderr, "steer::Register(): %s\n", status.message().c_str());
    return 1;
  }
  steer_test::RegisterFeedResolver();
  return (options.churn ? RunChurn(options) : RunSoak(options)) ? 0 : 1;
}
