// A greeter of known capacity: it serves a bounded number of calls at a time, each for a service
// time. Other calls wait in a queue, and are dropped if their deadline passes there. It reports
// with every answer its load (load_report.h), and its calls in flight and their latency
// (steer/server_load.hpp). It may have faults (faults.h), and it may be cold: slower for a time
// that begins with its first call.
//
//   gain_server --name=red --slots=8 --service_time_ms=10 --exponential --seed=1
//   gain_server --name=odd --faults="0;30 hang" --start=1790000000
//
// Prints "listening: red at 127.0.0.1:PORT" when it is ready. On SIGTERM it prints "counted: 123",
// the number of its calls except those that greet "warm-up", and ends. On SIGUSR1 it prints this
// too, and crashes: its connections break. It is a plain gRPC server, and links none of Steer's
// libraries.

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "faults.h"
#include "helloworld.grpc.pb.h"
#include "load.h"
#include "load_report.h"
#include "slots.h"
#include "steer/server_load.hpp"

ABSL_FLAG(std::string, name, "server", "the name of this server");
ABSL_FLAG(uint16_t, port, 0, "the port on 127.0.0.1; 0 takes any free port");
ABSL_FLAG(int, slots, 8, "the number of calls that are served at a time");
ABSL_FLAG(double, service_time_ms, 10, "the mean service time of a call");
ABSL_FLAG(bool, exponential, false,
          "distribute service times exponentially, instead of making all equal");
ABSL_FLAG(uint64_t, seed, 1, "the seed of the service times and errors");
ABSL_FLAG(double, report_over_ms, 500, "load reports are means over this time");
ABSL_FLAG(double, cold_speed, 1, "the speed of the first call, as a share of the full speed");
ABSL_FLAG(double, cold_ms, 0, "how long it takes from the first call to the full speed");
ABSL_FLAG(bool, cold_at_once, false, "the speed is low until then, instead of growing evenly");
ABSL_FLAG(gain::Schedule, faults, {}, "phases of faults, such as \"0;30 slow=20;60 hang\"");
ABSL_FLAG(double, start, 0, "the time 0 of --faults, in seconds since 1970; 0 is now");

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

class GreeterService final : public helloworld::Greeter::CallbackService {
 public:
  GreeterService()
      : load_(absl::GetFlag(FLAGS_slots), Milliseconds(absl::GetFlag(FLAGS_report_over_ms))),
        times_(1 / absl::GetFlag(FLAGS_service_time_ms)),
        random_(absl::GetFlag(FLAGS_seed)),
        slots_(absl::GetFlag(FLAGS_slots), [this] { return ServiceTime(); }) {}

  // Returns the number of calls after the warm-up, whatever their status.
  int64_t counted() const { return counted_; }

  // Replaces all faults.
  void Set(const gain::Faults& faults) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      faults_ = faults;
    }
    slots_.Hang(faults.hang);
  }

  grpc::ServerUnaryReactor* SayHello(grpc::CallbackServerContext* context,
                                     const helloworld::HelloRequest* request,
                                     helloworld::HelloReply* reply) override {
    load_.Arrived();
    if (request->name() != "warm-up") ++counted_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const grpc::StatusCode at_once = StatusAtOnce();
    if (at_once != grpc::StatusCode::OK) {
      End(context, reactor, {at_once, absl::GetFlag(FLAGS_name)});
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
                          served ? StatusOfServed()
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

  // Returns the status that every call gets at once; OK if calls are served.
  grpc::StatusCode StatusAtOnce() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return faults_.hang ? grpc::StatusCode::OK : static_cast<grpc::StatusCode>(faults_.fail);
  }

  grpc::Status StatusOfServed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool error = std::bernoulli_distribution(faults_.error_share)(random_errors_);
    if (!error) return grpc::Status::OK;
    return {static_cast<grpc::StatusCode>(faults_.error), absl::GetFlag(FLAGS_name)};
  }

  // Returns the service time of a call that begins to be served.
  std::chrono::nanoseconds ServiceTime() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool exponential = absl::GetFlag(FLAGS_exponential);
    const double ms = exponential ? times_(random_) : absl::GetFlag(FLAGS_service_time_ms);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        Milliseconds(ms * faults_.slow / Speed()));
  }

  // Returns the speed as a share of the full speed. The first call begins the warm-up.
  double Speed() {
    const Clock::time_point now = Clock::now();
    if (!first_call_) first_call_ = now;
    const Milliseconds age = now - *first_call_;
    const double cold_ms = absl::GetFlag(FLAGS_cold_ms);
    if (age.count() >= cold_ms) return 1;
    const double grown = absl::GetFlag(FLAGS_cold_at_once) ? 0 : age.count() / cold_ms;
    const double cold_speed = absl::GetFlag(FLAGS_cold_speed);
    return cold_speed + (1 - cold_speed) * grown;
  }

  gain::Load load_;
  std::atomic<int64_t> counted_{0};
  std::mutex mutex_;
  gain::Faults faults_;
  std::optional<Clock::time_point> first_call_;
  std::exponential_distribution<double> times_;
  std::mt19937_64 random_;
  std::mt19937_64 random_errors_{absl::GetFlag(FLAGS_seed)};
  // The last member, because its threads use the others.
  gain::Slots slots_;
};

// Waits for one of these signals until a time. Returns 0 if none came.
int WaitForSignal(const sigset_t& signals, std::chrono::system_clock::time_point until) {
  using std::chrono::nanoseconds;
  const auto left = std::max<nanoseconds>(until - std::chrono::system_clock::now(), {});
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{whole.count(), nanoseconds(left - whole).count()};
  return std::max(sigtimedwait(&signals, nullptr, &timeout), 0);
}

// Gives the service its faults, each at its time, until one of these signals comes. Returns it.
int RunSchedule(GreeterService& service, const sigset_t& signals) {
  using std::chrono::system_clock;
  const auto after = [](system_clock::time_point time, double seconds) {
    return time + std::chrono::duration_cast<system_clock::duration>(Seconds(seconds));
  };
  const double start_flag = absl::GetFlag(FLAGS_start);
  const auto start = start_flag == 0 ? system_clock::now() : after({}, start_flag);
  for (const gain::Phase& phase : absl::GetFlag(FLAGS_faults).phases) {
    if (const int signal = WaitForSignal(signals, after(start, phase.begin))) return signal;
    service.Set(phase.faults);
  }
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
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
  // for RunSchedule().
  sigset_t end_signals;
  sigemptyset(&end_signals);
  sigaddset(&end_signals, SIGINT);
  sigaddset(&end_signals, SIGTERM);
  sigaddset(&end_signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);

  GreeterService service;
  steer::ServerLoad server_load;
  int port = absl::GetFlag(FLAGS_port);
  const std::string address = "127.0.0.1:" + std::to_string(port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  // Otherwise two servers could share a port, and each would get some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&service);
  server_load.AddTo(builder);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "cannot listen on " << address << std::endl;
    return 1;
  }
  std::cout << "listening: " << absl::GetFlag(FLAGS_name) << " at 127.0.0.1:" << port << std::endl;

  const int signal = RunSchedule(service, end_signals);
  if (signal == SIGUSR1) {
    std::cout << "counted: " << service.counted() << std::endl;
    std::_Exit(0);
  }
  // Otherwise a hung server would never end.
  service.Set({});
  server->Shutdown(std::chrono::system_clock::now());
  std::cout << "counted: " << service.counted() << std::endl;
  return 0;
}
