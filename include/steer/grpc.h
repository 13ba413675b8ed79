// Steer for gRPC C++: the one header that an application includes.
//
//   int main() {
//     steer::Register();  // before the first channel or server
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
  // They were registered before, by this or another copy of Steer in the process. Fine.
  kAlreadyRegistered = 1,
  // A channel or a server exists already, and gRPC takes no policies any more.
  kTooLate = 2,
  // The engine that was loaded is older than the header that this program was compiled with.
  kAbiMismatch = 3,
};

class RegisterStatus {
 public:
  RegisterStatus(RegisterCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  // Whether Steer's policies can be used: kOk or kAlreadyRegistered.
  bool ok() const {
    return code_ == RegisterCode::kOk || code_ == RegisterCode::kAlreadyRegistered;
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
// any number of times. Never throws and never aborts: when it fails, the process is as it was, and
// the reason is in gRPC's log as well as in the returned status.
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
