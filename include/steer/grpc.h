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

namespace steer {

enum class RegisterCode {
  // Steer's policies are registered now.
  kOk = 0,
  // They were registered before, by this copy of Steer. Fine.
  kAlreadyRegistered = 1,
  // A channel or a server exists already, and gRPC takes no policies any more.
  kTooLate = 2,
  // The engine that was loaded is older than the header that this program was compiled with.
  kAbiMismatch = 3,
  // Another copy of Steer in the process serves: its policies, and what was registered with this
  // copy. Statistics are those of that copy. Fine.
  kAnotherCopy = 4,
  // The gRPC of this process is not the one that Steer was compiled for. Nothing was registered.
  kOtherGrpc = 5,
  // A plugin of STEER_PLUGINS could not be loaded. Everything else is registered.
  kPluginFailed = 6,
  // Another copy of Steer serves, and did not take everything that was registered with this one.
  // That copy's policies can be used.
  kCannotJoin = 7,
};

class [[nodiscard]] RegisterStatus {
 public:
  RegisterStatus(RegisterCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  // Whether all of Steer's policies, and all that was registered with Steer, can be used: kOk,
  // kAlreadyRegistered or kAnotherCopy.
  bool ok() const {
    return code_ == RegisterCode::kOk || code_ == RegisterCode::kAlreadyRegistered ||
           code_ == RegisterCode::kAnotherCopy;
  }
  RegisterCode code() const { return code_; }
  // What happened, and when not ok(), what to do about it.
  const std::string& message() const { return message_; }

 private:
  RegisterCode code_;
  std::string message_;
};

// Makes Steer's policies known to gRPC, for all channels of the process. Call it in main(), before
// the first channel or server is made; credentials and completion queues do not matter. Any thread;
// any number of times. Never throws and never aborts. When it fails, the reason and what to do are
// in gRPC's log as well as in the returned status.
//
// A process may hold several copies of Steer: in the program, in libraries, preloaded. The first of
// them that registers with a gRPC serves it. The others hand over what was registered with them,
// before and after. Two gRPCs in one process (a static and a shared one) have a copy each.
//
// The library that calls it is never unloaded from then on.
RegisterStatus Register();

// What can be seen of the process: every channel with a policy of Steer's, its backends, and what
// is known of their calls. As JSON, whose fields are in docs/statistics.md, and which steer-top
// shows live. Any thread; it costs time that grows with the number of backends, and no pick waits
// for it.
std::string StatsJson();

// The same as Prometheus scrapes it, with the content type
// "application/openmetrics-text; version=1.0.0; charset=utf-8".
std::string StatsPrometheus();

// Whether calls are tracked for these statistics where the policy does not track them anyway, as
// steer_round_robin does not: from the next picker on, so best before the first channel. Off at
// first, unless STEER_STATS=calls is in the environment. Any thread.
void TrackCalls(bool on);

}  // namespace steer

#endif  // STEER_GRPC_H
