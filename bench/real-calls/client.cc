// Generates open-loop load: a Poisson process decides when calls begin, whether or not earlier
// calls have ended, as with many independent users. So a slow server does not slow down its own
// load. Latency counts from when a call should have begun, so it includes all delays.
//
//   gain_client --target=ipv4:127.0.0.1:1,127.0.0.1:2 --lb_config='[{"round_robin": {}}]'
//
// Prints the results as JSON (outcomes.h). The servers count their own calls, because some gRPC
// versions do not tell the client which server had a call that timed out.

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "helloworld.grpc.pb.h"
#include "outcomes.h"
#include "policies.h"

ABSL_FLAG(std::string, target, "", "the servers, as gRPC names them");
ABSL_FLAG(std::string, lb_config, R"([{"round_robin": {}}])",
          "loadBalancingConfig of the service config: a JSON array");
ABSL_FLAG(double, rate, 100, "the mean number of calls per second");
ABSL_FLAG(double, warm_up, 0, "make uncounted calls for this many seconds");
ABSL_FLAG(double, seconds, 1, "then make counted calls for this many seconds");
ABSL_FLAG(double, deadline_ms, 1000, "the deadline of a call, from when it should begin; 0: none");
ABSL_FLAG(double, cancel_after_ms, 0, "cancel calls so long after they should begin; 0 is never");
ABSL_FLAG(double, patience_ms, 1e9, "when the last call has begun, wait so long for ends of calls");
ABSL_FLAG(double, start, 0, "when to begin, in seconds since 1970; 0 is once it is connected");
ABSL_FLAG(uint64_t, seed, 1, "the seed of the times when calls begin, and of the sessions");
ABSL_FLAG(uint64_t, sessions, 0,
          "each call has one of so many values in the header `session`; 0: none");

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::chrono::nanoseconds InNs(Seconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time);
}

// Returns the times when calls begin, relative to the start. The same for the same seed.
std::vector<std::chrono::nanoseconds> Arrivals(double rate, Seconds length, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  std::vector<std::chrono::nanoseconds> arrivals;
  for (Seconds at(gap(random)); at < length; at += Seconds(gap(random))) {
    arrivals.push_back(InNs(at));
  }
  return arrivals;
}

struct Call {
  grpc::ClientContext context;
  helloworld::HelloRequest request;
  helloworld::HelloReply reply;
  // Why the client has cancelled the call; null if it has not. Counts instead of CANCELLED.
  std::atomic<const char*> cancelled_because{nullptr};

  void Cancel(const char* because) {
    cancelled_because = because;
    context.TryCancel();
  }

  std::string StatusName(const grpc::Status& status) const {
    const char* because = cancelled_because;
    if (because != nullptr && status.error_code() == grpc::StatusCode::CANCELLED) return because;
    return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
  }
};

// The calls that have not ended.
class Pending {
 public:
  void Begin(std::shared_ptr<Call> call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.insert(std::move(call));
  }
  void End(const std::shared_ptr<Call>& call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.erase(call);
    if (calls_.empty()) none_.notify_all();
  }
  // Waits for the ends of all calls. After a time, cancels those that are left.
  void Wait(std::chrono::nanoseconds patience) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto none = [this] { return calls_.empty(); };
    if (none_.wait_for(lock, patience, none)) return;
    const auto left = calls_;
    // Without the lock, because a call may end in this thread.
    lock.unlock();
    for (const auto& call : left) call->Cancel(gain::kUnfinished);
    lock.lock();
    none_.wait(lock, none);
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::set<std::shared_ptr<Call>> calls_;
};

// Cancels calls at their times. All wait equally long, so the first one is due first.
class Canceller {
 public:
  void Add(std::shared_ptr<Call> call, Clock::time_point due) {
    calls_.emplace_back(std::move(call), due);
  }
  // Sleeps until a time, and meanwhile cancels the calls that are due.
  void SleepUntil(Clock::time_point time) {
    for (; !calls_.empty() && calls_.front().second <= time; calls_.pop_front()) {
      std::this_thread::sleep_until(calls_.front().second);
      calls_.front().first->Cancel(gain::kCancelledByCaller);
    }
    std::this_thread::sleep_until(time);
  }
  // Cancels all calls at their times.
  void Finish() {
    if (!calls_.empty()) SleepUntil(calls_.back().second);
  }

 private:
  std::deque<std::pair<std::shared_ptr<Call>, Clock::time_point>> calls_;
};

std::chrono::nanoseconds InNs(const absl::Flag<double>& ms) {
  return InNs(Seconds(absl::GetFlag(ms) / 1000));
}

// Gives a call the header `session`, with a random value.
void AddSession(uint64_t sessions, std::mt19937_64& random, grpc::ClientContext& context) {
  if (sessions == 0) return;
  const uint64_t session = std::uniform_int_distribution<uint64_t>(1, sessions)(random);
  context.AddMetadata("session", absl::StrCat(session));
}

// Returns the CPU time of this process so far.
double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return time.tv_sec + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Makes a call for each arrival, and returns the outcomes of those after the warm-up.
std::vector<gain::Outcome> MakeCalls(const std::shared_ptr<grpc::Channel>& channel,
                                     const std::vector<std::chrono::nanoseconds>& arrivals,
                                     std::chrono::nanoseconds warm_up) {
  const std::chrono::nanoseconds deadline = InNs(FLAGS_deadline_ms);
  const std::chrono::nanoseconds cancel_after = InNs(FLAGS_cancel_after_ms);
  const auto stub = helloworld::Greeter::NewStub(channel);
  std::vector<gain::Outcome> outcomes(arrivals.size());
  Pending pending;
  Canceller canceller;
  const uint64_t sessions = absl::GetFlag(FLAGS_sessions);
  // With the seed itself, a call's session would follow from the time when it begins.
  std::seed_seq seed{absl::GetFlag(FLAGS_seed), uint64_t{1}};
  std::mt19937_64 random(seed);
  const Clock::time_point start = Clock::now();
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const Clock::time_point scheduled = start + arrivals[i];
    canceller.SleepUntil(scheduled);
    gain::Outcome& outcome = outcomes[i];
    outcome.late = Clock::now() - scheduled;
    auto call = std::make_shared<Call>();
    call->request.set_name(arrivals[i] < warm_up ? "warm-up" : "world");
    AddSession(sessions, random, call->context);
    if (deadline.count() != 0) {
      call->context.set_deadline(std::chrono::system_clock::now() + (deadline - outcome.late));
    }
    pending.Begin(call);
    stub->async()->SayHello(&call->context, &call->request, &call->reply,
                            [call, scheduled, &outcome, &pending](const grpc::Status& status) {
                              outcome.latency = Clock::now() - scheduled;
                              outcome.status = call->StatusName(status);
                              pending.End(call);
                            });
    if (cancel_after.count() != 0) canceller.Add(call, scheduled + cancel_after);
  }
  canceller.Finish();
  pending.Wait(InNs(FLAGS_patience_ms));
  const auto counted = std::lower_bound(arrivals.begin(), arrivals.end(), warm_up);
  outcomes.erase(outcomes.begin(), outcomes.begin() + (counted - arrivals.begin()));
  return outcomes;
}

// Connects within a time, or returns false. Asks again and again: WaitForConnected() asks once,
// maybe before the channel has a policy, and would then wait in vain for one that begins IDLE, such
// as ring hash.
bool Connect(grpc::Channel& channel, std::chrono::seconds patience) {
  using std::chrono::system_clock;
  const system_clock::time_point give_up = system_clock::now() + patience;
  while (system_clock::now() < give_up) {
    const grpc_connectivity_state state = channel.GetState(true);
    if (state == GRPC_CHANNEL_READY) return true;
    channel.WaitForStateChange(state, system_clock::now() + std::chrono::milliseconds(100));
  }
  return false;
}

// Waits until a time in seconds since 1970. Returns false if that is in the past. Waits in gRPC,
// which goes on connecting meanwhile: without a thread in it, gRPC 1.51 would do that only once
// calls begin.
bool WaitUntil(double start, grpc::Channel& channel) {
  using std::chrono::system_clock;
  const system_clock::time_point time(
      std::chrono::duration_cast<system_clock::duration>(Seconds(start)));
  if (system_clock::now() > time) return false;
  while (channel.WaitForStateChange(channel.GetState(false), time)) {
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Generates open-loop load and prints the results as JSON.");
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::EndsWith(file, "real-calls/client.cc");
  };
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);

  // Before the first channel.
  if (const std::string why = gain::RegisterPolicies(); !why.empty()) {
    std::cerr << why << std::endl;
    return 1;
  }
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(
      absl::StrCat(R"({"loadBalancingConfig": )", absl::GetFlag(FLAGS_lb_config), "}"));
  const auto channel = grpc::CreateCustomChannel(absl::GetFlag(FLAGS_target),
                                                 grpc::InsecureChannelCredentials(), args);
  if (!Connect(*channel, std::chrono::seconds(60))) {
    std::cerr << "no connection to " << absl::GetFlag(FLAGS_target) << std::endl;
    return 1;
  }
  const double start = absl::GetFlag(FLAGS_start);
  if (start != 0 && !WaitUntil(start, *channel)) {
    std::cerr << "connected too late to begin at " << start << std::endl;
    return 1;
  }

  const std::chrono::nanoseconds warm_up = InNs(Seconds(absl::GetFlag(FLAGS_warm_up)));
  const auto arrivals =
      Arrivals(absl::GetFlag(FLAGS_rate), warm_up + Seconds(absl::GetFlag(FLAGS_seconds)),
               absl::GetFlag(FLAGS_seed));
  const double cpu_before = CpuSeconds();
  const auto outcomes = MakeCalls(channel, arrivals, warm_up);
  const gain::Cost cost{arrivals.size(), CpuSeconds() - cpu_before};
  gain::WriteJson(outcomes, cost, std::cout);
  return 0;
}
