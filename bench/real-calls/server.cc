// A greeter of known capacity: it serves a bounded number of calls at a time, each for a service
// time. Other calls wait in a queue, and are dropped if their deadline passes there. It reports its
// load with every answer (load_report.h). With --failing, it fails every call at once.
//
//   gain_server --name=red --slots=8 --service_time_ms=10 --exponential --seed=1
//
// Prints "listening: red at 127.0.0.1:PORT" when it is ready. On SIGTERM it prints "counted: 123",
// the number of its calls except those that greet "warm-up", and ends. It is a plain gRPC server,
// and does not use Steer.

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "helloworld.grpc.pb.h"
#include "load.h"
#include "load_report.h"
#include "slots.h"

ABSL_FLAG(std::string, name, "server", "the name of this server");
ABSL_FLAG(uint16_t, port, 0, "the port on 127.0.0.1; 0 takes any free port");
ABSL_FLAG(int, slots, 8, "the number of calls that are served at a time");
ABSL_FLAG(double, service_time_ms, 10, "the mean service time of a call");
ABSL_FLAG(bool, exponential, false,
          "distribute service times exponentially, instead of making all equal");
ABSL_FLAG(uint64_t, seed, 1, "the seed of the service times");
ABSL_FLAG(bool, failing, false, "answer every call at once with UNAVAILABLE");

namespace {

class GreeterService final : public helloworld::Greeter::CallbackService {
 public:
  GreeterService(int slots, std::function<std::chrono::nanoseconds()> service_time, bool failing)
      : load_(slots), slots_(slots, std::move(service_time)), failing_(failing) {}

  // Returns the number of calls after the warm-up, whatever their status.
  int64_t counted() const { return counted_; }

  grpc::ServerUnaryReactor* SayHello(grpc::CallbackServerContext* context,
                                     const helloworld::HelloRequest* request,
                                     helloworld::HelloReply* reply) override {
    load_.Arrived();
    if (request->name() != "warm-up") ++counted_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (failing_) {
      End(context, reactor, {grpc::StatusCode::UNAVAILABLE, absl::GetFlag(FLAGS_name)});
      return reactor;
    }
    slots_.Enqueue({[context] {
                      return context->IsCancelled() ||
                             context->deadline() <= std::chrono::system_clock::now();
                    },
                    [this, context, request, reply, reactor](bool served) {
                      if (served) {
                        reply->set_message("Hello, " + request->name() + "!");
                        reply->set_server(absl::GetFlag(FLAGS_name));
                      }
                      End(context, reactor,
                          served ? grpc::Status::OK
                                 : grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "queued"));
                    }});
    return reactor;
  }

 private:
  void End(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
           const grpc::Status& status) {
    if (const auto load = load_.Ended(!status.ok())) gain::ReportLoad(*load, *context);
    reactor->Finish(status);
  }

  gain::Load load_;
  gain::Slots slots_;
  const bool failing_;
  std::atomic<int64_t> counted_{0};
};

std::function<std::chrono::nanoseconds()> ServiceTime() {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const auto in_ns = [](double ms) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Milliseconds(ms));
  };
  const double mean = absl::GetFlag(FLAGS_service_time_ms);
  if (!absl::GetFlag(FLAGS_exponential)) return [=] { return in_ns(mean); };
  std::mt19937_64 random(absl::GetFlag(FLAGS_seed));
  std::exponential_distribution<double> times(1 / mean);
  return [=]() mutable { return in_ns(times(random)); };
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Answers greetings with a bounded capacity.");
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::EndsWith(file, "real-calls/server.cc");
  };
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);

  // Block these signals before gRPC starts its threads, which inherit the mask. So the signals wait
  // for sigwait() below.
  sigset_t end_signals;
  sigemptyset(&end_signals);
  sigaddset(&end_signals, SIGINT);
  sigaddset(&end_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);

  GreeterService service(absl::GetFlag(FLAGS_slots), ServiceTime(), absl::GetFlag(FLAGS_failing));
  int port = absl::GetFlag(FLAGS_port);
  const std::string address = "127.0.0.1:" + std::to_string(port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  // Otherwise two servers could share a port, and each would get some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  gain::AllowLoadReports(builder);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "cannot listen on " << address << std::endl;
    return 1;
  }
  std::cout << "listening: " << absl::GetFlag(FLAGS_name) << " at 127.0.0.1:" << port << std::endl;

  int signal_number = 0;
  sigwait(&end_signals, &signal_number);
  server->Shutdown(std::chrono::system_clock::now());
  std::cout << "counted: " << service.counted() << std::endl;
  return 0;
}
