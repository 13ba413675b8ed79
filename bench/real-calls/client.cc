// Generates open-loop load: a Poisson process decides when calls begin, whether or not earlier
// calls have ended, as with many independent users. So a slow server does not slow down its own
// load. Latency counts from when a call should have begun, so it includes all delays.
//
//   gain_client --target=ipv4:127.0.0.1:1,127.0.0.1:2 --lb_config='[{"round_robin": {}}]'
//
// Prints the results as JSON (outcomes.h). The servers count their own calls, because some gRPC
// versions do not tell the client which server had a call that timed out.

#include <grpcpp/grpcpp.h>
#include <steer/grpc.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
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

ABSL_FLAG(std::string, target, "", "the servers, as gRPC names them");
ABSL_FLAG(std::string, lb_config, R"([{"round_robin": {}}])",
          "loadBalancingConfig of the service config: a JSON array");
ABSL_FLAG(double, rate, 100, "the mean number of calls per second");
ABSL_FLAG(double, warm_up, 0, "make uncounted calls for this many seconds");
ABSL_FLAG(double, seconds, 1, "then make counted calls for this many seconds");
ABSL_FLAG(double, deadline_ms, 1000, "the deadline of a call, from when it should begin");
ABSL_FLAG(uint64_t, seed, 1, "the seed of the times when calls begin");

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

// Counts the calls that have not ended.
class Pending {
 public:
  void Begin() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
  }
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t count_ = 0;
};

struct Call {
  grpc::ClientContext context;
  helloworld::HelloRequest request;
  helloworld::HelloReply reply;
};

std::string StatusName(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

// Makes a call for each arrival, and returns the outcomes of those after the warm-up.
std::vector<gain::Outcome> MakeCalls(const std::shared_ptr<grpc::Channel>& channel,
                                     const std::vector<std::chrono::nanoseconds>& arrivals,
                                     std::chrono::nanoseconds warm_up,
                                     std::chrono::nanoseconds deadline) {
  const auto stub = helloworld::Greeter::NewStub(channel);
  std::vector<gain::Outcome> outcomes(arrivals.size());
  Pending pending;
  const Clock::time_point start = Clock::now();
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const Clock::time_point scheduled = start + arrivals[i];
    std::this_thread::sleep_until(scheduled);
    gain::Outcome& outcome = outcomes[i];
    outcome.late = Clock::now() - scheduled;
    auto call = std::make_shared<Call>();
    call->request.set_name(arrivals[i] < warm_up ? "warm-up" : "world");
    call->context.set_deadline(std::chrono::system_clock::now() + (deadline - outcome.late));
    pending.Begin();
    stub->async()->SayHello(&call->context, &call->request, &call->reply,
                            [call, scheduled, &outcome, &pending](const grpc::Status& status) {
                              outcome.latency = Clock::now() - scheduled;
                              outcome.status = StatusName(status);
                              pending.End();
                            });
  }
  pending.Wait();
  const auto counted = std::lower_bound(arrivals.begin(), arrivals.end(), warm_up);
  outcomes.erase(outcomes.begin(), outcomes.begin() + (counted - arrivals.begin()));
  return outcomes;
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
  if (const auto status = steer::Register(); !status.ok()) {
    std::cerr << status.message() << std::endl;
    return 1;
  }
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(
      absl::StrCat(R"({"loadBalancingConfig": )", absl::GetFlag(FLAGS_lb_config), "}"));
  const auto channel = grpc::CreateCustomChannel(absl::GetFlag(FLAGS_target),
                                                 grpc::InsecureChannelCredentials(), args);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60))) {
    std::cerr << "no connection to " << absl::GetFlag(FLAGS_target) << std::endl;
    return 1;
  }

  const std::chrono::nanoseconds warm_up = InNs(Seconds(absl::GetFlag(FLAGS_warm_up)));
  const auto arrivals =
      Arrivals(absl::GetFlag(FLAGS_rate), warm_up + Seconds(absl::GetFlag(FLAGS_seconds)),
               absl::GetFlag(FLAGS_seed));
  const auto outcomes =
      MakeCalls(channel, arrivals, warm_up, InNs(Seconds(absl::GetFlag(FLAGS_deadline_ms) / 1000)));
  gain::WriteJson(outcomes, std::cout);
  return 0;
}
