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

}  // namespace steer

#endif  // STEER_GRPC_H
