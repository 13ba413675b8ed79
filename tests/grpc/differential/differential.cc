// The differential test: two load-balancing policies, made by gRPC's registry, are given the same
// random events, and everything that a channel can observe of them is compared. See
// docs/differences.md for what may differ and why.
//
//   differential_test --sequences=20000 --events=200
//     compares steer_round_robin with gRPC's round_robin
//   differential_test --seed=17 --sequences=1
//     repeats one sequence
//   differential_test --policy=round_robin
//     self test: compares gRPC's policy with itself
//   differential_test --policy=round_robin --mutate=drop-report
//     self test: the planted fault must be found

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "fake_channel.h"
#include "run_in_grpc.h"
#include "runs.h"
#include "sequence.h"

ABSL_FLAG(std::string, reference, "round_robin", "the policy that is taken as right");
ABSL_FLAG(std::string, policy, "steer_round_robin", "the policy that is compared with it");
ABSL_FLAG(uint64_t, seed, 0,
          "seed of the first sequence; the next sequences count up; 0: a random one");
ABSL_FLAG(int, sequences, 20000, "how many sequences");
ABSL_FLAG(int, events, 200, "the largest number of events in a sequence");
ABSL_FLAG(int, failures, 1, "stop after this many sequences with a difference");
ABSL_FLAG(std::string, mutate, "",
          "plant this fault in the policy's side, and succeed only if it is found");

namespace steer_testing {
namespace {

const std::map<std::string, Mutation>& Mutations() {
  static const auto* mutations = new std::map<std::string, Mutation>{
      {"drop-report", Mutation::kDropReport},
      {"drop-state-change", Mutation::kDropStateChange},
      {"drop-connect", Mutation::kDropConnect},
      {"drop-reresolution", Mutation::kDropReresolution},
      {"drop-reset-backoff", Mutation::kDropResetBackoff},
      {"change-status", Mutation::kChangeStatus},
      {"change-update-status", Mutation::kChangeUpdateStatus},
      {"repeat-pick", Mutation::kRepeatPick},
      {"keep-subchannel", Mutation::kKeepSubchannel},
  };
  return *mutations;
}

// What must have happened in a full run: in the reference, or in Steer if that is named.
constexpr const char* kMustOccur[] = {"address list",
                                      "backoff reset",
                                      "connection request",
                                      "connectivity change",
                                      "empty list",
                                      "held back first report",
                                      "late report",
                                      "listed again before its first report",
                                      "re-resolution",
                                      "reported CONNECTING",
                                      "reported READY",
                                      "reported TRANSIENT_FAILURE",
                                      "resolver error",
                                      "rotation of several",
                                      "several watches of one backend",
                                      "Steer begins at another",
                                      "Steer begins at the first"};
// What cannot occur in a self test, or with this gRPC version.
bool CannotOccur(const std::string& what) {
  if (absl::GetFlag(FLAGS_policy) == absl::GetFlag(FLAGS_reference) &&
      what.rfind("Steer ", 0) == 0) {
    return true;
  }
  // Where policies ask for states, there are no first reports.
  if (what == "held back first report") return reference::kFailedConnectionsWait;
  return what == "listed again before its first report" &&
         (reference::kFailedConnectionsWait || reference::kSwapWaitsForAllReports);
}
// The status of a run whose reference this gRPC does not have.
constexpr int kSkipped = 75;
// So many sequences make a full run: enough for each entry of kMustOccur.
constexpr int kFullRun = 1000;

// Printed by the signal handler, so that a crash shows its seed.
char g_running[128];
size_t g_running_length = 0;

void NoteRunning(uint64_t seed, int events) {
  g_running_length = static_cast<size_t>(std::snprintf(
      g_running, sizeof(g_running), "\ncrashed in --seed=%llu --sequences=1 --events=%d\n",
      static_cast<unsigned long long>(seed), events));
}

void OnCrash(int signal_number) {
  (void)!write(STDERR_FILENO, g_running, g_running_length);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void Print(const Setup& setup, const Difference& difference, size_t original_length) {
  std::printf("\nDIFFERENCE: %s\nseed %llu, %zu events, shrunk to %zu:\n", difference.what.c_str(),
              static_cast<unsigned long long>(setup.seed), original_length,
              difference.events.size());
  for (size_t slot = 0; slot < setup.world.connections.size(); ++slot) {
    const Connection& connection = setup.world.connections[slot];
    if (connection.state == GRPC_CHANNEL_IDLE) continue;
    StateChange change;
    change.slot = static_cast<int>(slot);
    change.state = connection.state;
    change.status = connection.status;
    bool used = false;
    for (const Event& event : difference.events) {
      for (const Backend& backend : event.addresses) used |= SlotOf(backend) == change.slot;
    }
    if (used) std::printf("   at first: %s\n", ChangeName(change).c_str());
  }
  if (setup.world.unusable != 0) {
    std::printf("   no subchannel can be made for addresses 0x%x\n", setup.world.unusable);
  }
  for (size_t i = 0; i < difference.events.size(); ++i) {
    std::printf("  %3zu. %s\n", i + 1, difference.events[i].ToString().c_str());
  }
  std::printf("  %s, which is the reference:\n%s  %s:\n%s", setup.reference.c_str(),
              difference.reference.c_str(), setup.policy.c_str(), difference.policy.c_str());
}

// Reads --reference, --policy and --mutate. Prints what is wrong with them.
bool ReadSetup(Setup* setup) {
  setup->reference = absl::GetFlag(FLAGS_reference);
  setup->policy = absl::GetFlag(FLAGS_policy);
  const std::string mutate = absl::GetFlag(FLAGS_mutate);
  if (mutate.empty()) return true;
  const auto mutation = Mutations().find(mutate);
  if (mutation == Mutations().end()) {
    std::fprintf(stderr, "--mutate takes one of:");
    for (const auto& known : Mutations()) std::fprintf(stderr, " %s", known.first.c_str());
    std::fprintf(stderr, "\n");
    return false;
  }
  setup->mutation = mutation->second;
  return true;
}

struct Result {
  int run = 0;
  int failures = 0;
  double seconds = 0;
  Coverage coverage;
};

// Runs the sequences from `first_seed` on, and prints the differences.
Result RunSequences(Setup setup, uint64_t first_seed) {
  const int sequences = absl::GetFlag(FLAGS_sequences);
  const int events = absl::GetFlag(FLAGS_events);
  const auto start = std::chrono::steady_clock::now();
  Result result;
  for (; result.run < sequences && result.failures < absl::GetFlag(FLAGS_failures); ++result.run) {
    setup.seed = first_seed + static_cast<uint64_t>(result.run);
    NoteRunning(setup.seed, events);
    setup.world = Generator(setup.seed, events).initial_world();
    const Difference difference = RunSeed(setup, events, &result.coverage);
    if (difference.what.empty()) continue;
    ++result.failures;
    if (setup.mutation != Mutation::kNone) continue;
    Print(setup, Shrink(setup, difference), difference.events.size());
    std::printf("again: --policy=%s --reference=%s --seed=%llu --sequences=1 --events=%d\n",
                setup.policy.c_str(), setup.reference.c_str(),
                static_cast<unsigned long long>(setup.seed), events);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

// Prints what the reference did. Returns whether there was no difference, and whether a full run
// has met everything that it must meet.
bool Judge(const Result& result) {
  for (const auto& entry : result.coverage) {
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(entry.second), entry.first.c_str());
  }
  std::printf("%d sequences, %d with a difference, %.1f s\n", result.run, result.failures,
              result.seconds);
  if (result.failures > 0) return false;
  bool complete = true;
  for (const char* what : kMustOccur) {
    if (result.run < kFullRun || result.coverage.count(what) != 0 || CannotOccur(what)) continue;
    std::printf("never met: %s\n", what);
    complete = false;
  }
  return complete;
}

int Main() {
  Setup setup;
  if (!ReadSetup(&setup)) return 2;
  const auto known = ParsePolicyConfig("[{\"" + setup.reference + "\":{}}]");
  if (!known.ok()) {
    std::printf("this gRPC has no %s: %s\n", setup.reference.c_str(),
                known.status().ToString().c_str());
    return kSkipped;
  }
  uint64_t first_seed = absl::GetFlag(FLAGS_seed);
  if (first_seed == 0) first_seed = std::random_device()();
  std::printf("%s against %s: %d sequences of up to %d events, --seed=%llu\n", setup.policy.c_str(),
              setup.reference.c_str(), absl::GetFlag(FLAGS_sequences), absl::GetFlag(FLAGS_events),
              static_cast<unsigned long long>(first_seed));
  std::fflush(stdout);
  const Result result = RunSequences(setup, first_seed);
  if (setup.mutation != Mutation::kNone) {
    std::printf("planted fault %s: %s after %d sequences\n", absl::GetFlag(FLAGS_mutate).c_str(),
                result.failures > 0 ? "found" : "NOT found", result.run);
    return result.failures > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  return Judge(result) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("compares two load-balancing policies, event by event");
  absl::ParseCommandLine(argc, argv);
  // Refused backends and other planned failures would fill the log.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  for (int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    signal(signal_number, steer_testing::OnCrash);
  }
  return steer_testing::RunInGrpc(steer_testing::Main);
}
