// Calls the greeter and prints which server answered. Steer spreads the calls over the servers of
// the target. README.md shows as a diff the lines that this needs.
//
//   greeter_client --target=ipv4:127.0.0.1:50051,127.0.0.1:50052 --calls=10

#include "greeter_client.h"

#include <grpcpp/grpcpp.h>
#include <steer/grpc.h>
#include <steer/steer.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
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
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "helloworld.grpc.pb.h"
#include "metrics.h"

ABSL_FLAG(std::string, target, "ipv4:127.0.0.1:50051", "the servers, as gRPC names them");
ABSL_FLAG(int64_t, calls, 1, "the number of calls; 0 for no limit");
ABSL_FLAG(double, seconds, 0, "stop after this many seconds; 0 for no limit");
ABSL_FLAG(int, threads, 1, "the number of threads that share the calls");
ABSL_FLAG(size_t, warm_up, 0,
          "before the counted calls, call without --headers until this many different servers have "
          "answered");
ABSL_FLAG(std::string, lb_config, R"([{"steer_round_robin": {}}])",
          "the loadBalancingConfig of the service config, a JSON array");
ABSL_FLAG(std::vector<std::string>, headers, {}, "headers of each call: name=value,...");
ABSL_FLAG(bool, wait_for_ready, false,
          "let calls wait for a server, instead of failing when none is connected");
ABSL_FLAG(std::vector<std::string>, plugins, {}, "paths of plugins to load");
ABSL_FLAG(int, retries, 0,
          "how often gRPC retries a call that failed with UNAVAILABLE; gRPC allows at most 4");
ABSL_FLAG(
    int, metrics, -1,
    "serve Steer's statistics on this port of 127.0.0.1 (0: any free port, which is printed): "
    "/metrics for Prometheus, /stats.json for steer-top");
ABSL_FLAG(double, linger, 0,
          "stay for this many seconds after the last call, to keep serving --metrics");

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class GreeterClient {
 public:
  GreeterClient(const std::shared_ptr<grpc::Channel>& channel, Headers headers)
      : stub_(helloworld::Greeter::NewStub(channel)), headers_(std::move(headers)) {}

  // Returns nothing if the call failed, and prints why.
  std::optional<helloworld::HelloReply> SayHello(const std::string& name) {
    helloworld::HelloRequest request;
    request.set_name(name);
    helloworld::HelloReply reply;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(absl::GetFlag(FLAGS_wait_for_ready));
    for (const auto& [key, value] : headers_) context.AddMetadata(key, value);

    const absl::Time start = absl::Now();
    const grpc::Status status = stub_->SayHello(&context, request, &reply);
    if (status.ok()) return reply;

    const absl::Time end = absl::Now();
    const absl::Status error(static_cast<absl::StatusCode>(status.error_code()),
                             status.error_message());
    std::printf("FAILED at %s after %s, peer %s: %s\n",
                absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", end, absl::UTCTimeZone()).c_str(),
                absl::FormatDuration(end - start).c_str(), context.peer().c_str(),
                error.ToString().c_str());
    return std::nullopt;
  }

 private:
  const std::unique_ptr<helloworld::Greeter::Stub> stub_;
  const Headers headers_;
};

// Loads the plugins. Returns false if one cannot be loaded, and prints why.
bool LoadPlugins() {
  bool loaded = true;
  for (const std::string& path : absl::GetFlag(FLAGS_plugins)) {
    if (steer_load_plugin({path.data(), path.size()}) == STEER_OK) continue;
    const steer_str error = steer_last_error();
    std::cerr << std::string(error.data, error.length) << std::endl;
    loaded = false;
  }
  return loaded;
}

Headers HeadersOfFlag() {
  Headers headers;
  for (const std::string& header : absl::GetFlag(FLAGS_headers)) {
    headers.push_back(absl::StrSplit(header, absl::MaxSplits('=', 1)));
  }
  return headers;
}

constexpr char kRetries[] = R"("methodConfig": [{"name": [{}], "retryPolicy": {
  "maxAttempts": $0, "retryableStatusCodes": ["UNAVAILABLE"],
  "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2}}],)";

std::string ServiceConfig() {
  const int retries = absl::GetFlag(FLAGS_retries);
  return absl::Substitute(R"({
    "healthCheckConfig": {"serviceName": ""}, $0
    "loadBalancingConfig": $1
  })",
                          retries > 0 ? absl::Substitute(kRetries, retries + 1) : "",
                          absl::GetFlag(FLAGS_lb_config));
}

// Calls until all servers are connected, so that the counted calls are spread over all of them.
bool WarmUp(GreeterClient greeter, size_t servers) {
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  std::set<std::string> answered;
  while (answered.size() < servers && absl::Now() < give_up) {
    if (const auto reply = greeter.SayHello("everyone")) answered.insert(reply->server());
  }
  return answered.size() >= servers;
}

void ParseFlags(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Calls the greeter and prints which server answered.\n"
      "Example: greeter_client --target=ipv4:127.0.0.1:50051,127.0.0.1:50052 --calls=10");
  // Programs of other names that call this function have the same --help.
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::EndsWith(file, "/greeter_client.cc");
  };
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);
}

// Makes the calls that the flags ask for, and prints their answers. Returns whether all succeeded.
bool Greet(GreeterClient greeter) {
  const int64_t calls = absl::GetFlag(FLAGS_calls);
  const double seconds = absl::GetFlag(FLAGS_seconds);
  const absl::Time end =
      seconds > 0 ? absl::Now() + absl::Seconds(seconds) : absl::InfiniteFuture();
  std::atomic<int64_t> made{0};
  std::atomic<bool> failed{false};
  const auto greet = [&] {
    while (absl::Now() < end) {
      const int64_t number = ++made;
      if (calls > 0 && number > calls) return;
      if (const auto reply = greeter.SayHello("world " + std::to_string(number))) {
        std::printf("%s: %s\n", reply->server().c_str(), reply->message().c_str());
      } else {
        failed = true;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < absl::GetFlag(FLAGS_threads); ++i) threads.emplace_back(greet);
  for (std::thread& thread : threads) thread.join();
  return !failed;
}

}  // namespace

int greeter_client_main(int argc, char** argv) {
  ParseFlags(argc, argv);
  // Write whole lines at once, also into a pipe.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  std::unique_ptr<MetricsServer> metrics;
  if (const int port = absl::GetFlag(FLAGS_metrics); port >= 0) {
    std::string error;
    metrics = MetricsServer::Start(port, &error);
    if (metrics == nullptr) {
      std::cerr << "--metrics: " << error << std::endl;
      return 1;
    }
    steer::TrackCalls(true);  // also with policies that do not count calls
    std::printf("metrics: http://127.0.0.1:%d/metrics\n", metrics->port());
  }

  if (!LoadPlugins()) return 1;
  // Before the first channel.
  if (const auto status = steer::Register(); !status.ok()) {
    std::cerr << status.message() << std::endl;
    return 1;
  }
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(ServiceConfig());
  const auto channel = grpc::CreateCustomChannel(absl::GetFlag(FLAGS_target),
                                                 grpc::InsecureChannelCredentials(), args);
  if (!WarmUp(GreeterClient(channel, {}), absl::GetFlag(FLAGS_warm_up))) {
    std::cerr << "not all servers answered within the 60 s of the warm-up" << std::endl;
    return 1;
  }

  const bool succeeded = Greet(GreeterClient(channel, HeadersOfFlag()));
  absl::SleepFor(absl::Seconds(absl::GetFlag(FLAGS_linger)));
  return succeeded ? 0 : 1;
}
