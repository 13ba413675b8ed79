// Steer for gRPC C++: the one header that an application includes.
//
//   int main() {
//     // Before the first channel or server.
//     if (auto status = steer::Register(); !status.ok()) std::cerr << status.message() << "\n";
//     grpc::ChannelArguments args;
//     args.SetServiceConfigJSON(R"({"loadBalancingConfig":[{"steer_round_robin":{}}]})");
//     ...
//
// Must not include: anything of gRPC's, or of the C ABI's.
#ifndef STEER_GRPC_H
#define STEER_GRPC_H

#include <string>
#include <utility>
#include <vector>

namespace steer {

enum class RegisterCode {
  // Steer's policies are registered now.
  kOk = 0,
  // This copy of Steer registered them earlier. This is a success, too.
  kAlreadyRegistered = 1,
  // A channel or a server exists already, and gRPC accepts no policies any more.
  kTooLate = 2,
  // The engine that was loaded is older than the header that this program was compiled with.
  // Nothing was registered.
  kAbiMismatch = 3,
  // Another copy of Steer in the process serves this gRPC, and has accepted everything that was
  // registered with this copy. Statistics are those of that copy. This is a success, too.
  kAnotherCopy = 4,
  // This process runs another gRPC version than the one that Steer was compiled for. Nothing was
  // registered.
  kOtherGrpc = 5,
  // A plugin of STEER_PLUGINS could not be loaded. Everything else is registered.
  kPluginFailed = 6,
  // Another copy of Steer serves, and did not accept everything that was registered with this one.
  // That copy's policies can be used.
  kCannotJoin = 7,
  // A setting of RegisterOptions::take_over or of STEER_TAKE_OVER was refused. No name of that list
  // was taken over. Everything else is registered.
  kTakeOverFailed = 8,
};

class [[nodiscard]] RegisterStatus {
 public:
  RegisterStatus(RegisterCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  // Whether Steer's policies and everything that was registered with Steer can be used: kOk,
  // kAlreadyRegistered or kAnotherCopy.
  bool ok() const {
    return code_ == RegisterCode::kOk || code_ == RegisterCode::kAlreadyRegistered ||
           code_ == RegisterCode::kAnotherCopy;
  }
  RegisterCode code() const { return code_; }
  // What happened. If not ok(), also what to do about it.
  const std::string& message() const { return message_; }

 private:
  RegisterCode code_;
  std::string message_;
};

// Makes Steer's policies known to gRPC, for all channels of the process. Call it in main(), before
// the first channel or server is made. Credentials and completion queues may exist already. Any
// thread; any number of times. Never throws and never aborts. On failure, the reason and what to do
// are in gRPC's log as well as in the returned status.
//
// A process may hold several copies of Steer: in the program, in libraries, preloaded. The first
// copy that registers with a gRPC serves it. The others hand over to it what was registered with
// them, before and after this call. If a process has two gRPC libraries (a static and a shared
// one), each needs its own copy of Steer.
//
// The library that calls this is never unloaded afterwards.
RegisterStatus Register();

// A policy that takes over the name of one of gRPC's own policies.
struct TakeOver {
  // gRPC's name, such as "round_robin".
  std::string name;
  // The policy that runs in its place: Steer's or a custom one.
  std::string policy;
  // That policy's config, a JSON object. Empty: the defaults.
  std::string config = {};
};

struct RegisterOptions {
  // Wherever a service config, a channel or one of gRPC's own policies names `round_robin`, the
  // policy that took this name runs. docs/take-over.md says which names can be taken over, and what
  // becomes of the configs that were written for gRPC's policies.
  std::vector<TakeOver> take_over = {};
};

// As Register(), and takes names over, from gRPC 1.50 on:
//
//   steer::RegisterOptions options;
//   options.take_over = {{"round_robin", "steer_peak_ewma", R"({"decayTime":"5s"})"}};
//   auto status = steer::Register(options);
//
// All names of `options` are taken over, or none. What the environment variable STEER_TAKE_OVER
// says wins, and `STEER_TAKE_OVER=round_robin=round_robin` leaves that name to gRPC. The message
// lists the names that are taken over. May be called after Register(), with further names, before
// the first channel or server.
RegisterStatus Register(const RegisterOptions& options);

// The statistics of the process as JSON: every channel with one of Steer's policies, its backends,
// and what is known of their calls. docs/statistics.md describes the fields, and steer-top shows
// them live. Any thread. It takes time that grows with the number of backends; no pick waits for
// it.
std::string StatsJson();

// The same in the format that Prometheus reads, with the content type
// "application/openmetrics-text; version=1.0.0; charset=utf-8".
std::string StatsPrometheus();

// Turns the tracking of calls for these statistics on or off. It matters for policies that do not
// track calls anyway, such as steer_round_robin. A channel follows it from its next picker on, so
// it is best called before the first channel is made. Off by default, unless STEER_STATS=calls is
// in the environment. Any thread.
void TrackCalls(bool on);

}  // namespace steer

#endif  // STEER_GRPC_H
