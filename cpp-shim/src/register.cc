// steer::Register(): makes the engine's policies known to gRPC, once in a process.
//
// Must not know: what a policy does.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "factory.h"
#include "generation.h"
#include "steer/grpc.h"
#include "steer/steer.h"
#include "text.h"

// Not 0: Steer is registered in this process. Exported, so that the dynamic linker makes one
// variable of those of all copies of the shim: two registrations of one name would abort the
// process at its first channel.
extern "C" __attribute__((visibility("default"))) std::atomic<int> steer_grpc_registration;
std::atomic<int> steer_grpc_registration{0};

namespace steer {
namespace {

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  steer_string* name = nullptr;
  while (steer_policy_name(names.size(), &name) == STEER_OK) {
    names.push_back(shim::TakeString(name));
  }
  return names;
}

RegisterStatus Failed(RegisterCode code, std::string message) {
  shim::Log(GPR_LOG_SEVERITY_ERROR, message);
  return RegisterStatus(code, std::move(message));
}

}  // namespace

RegisterStatus Register() {
  static std::mutex mu;
  std::lock_guard<std::mutex> lock(mu);
  const uint32_t engine_version = steer_abi_version();
  if (engine_version < STEER_ABI_VERSION) {
    return Failed(RegisterCode::kAbiMismatch,
                  "steer::Register: this program was compiled for version " +
                      std::to_string(STEER_ABI_VERSION) +
                      " of Steer's ABI, and the libsteer that was loaded has version " +
                      std::to_string(engine_version) +
                      ". Install the libsteer that came with the header steer/steer.h, or a later "
                      "one, where the dynamic linker finds it first.");
  }
  if (steer_grpc_registration.load() != 0) {
    return RegisterStatus(RegisterCode::kAlreadyRegistered,
                          "steer::Register: Steer is registered already.");
  }
  if (shim::TooLateToRegister()) {
    return Failed(RegisterCode::kTooLate,
                  "steer::Register: too late: gRPC takes no policies once a channel or a server "
                  "exists. Call steer::Register() at the beginning of main(), or preload "
                  "libsteer-grpc-autoregister.so. Steer's policies are not available in this "
                  "process.");
  }
  steer_grpc_registration.store(1);
  std::vector<std::string> names = PolicyNames();
  std::string message = "steer::Register: registered";
  for (const std::string& name : names) message += " " + name;
  shim::RegisterFactories([names] { return shim::MakeFactories(names); });
  return RegisterStatus(RegisterCode::kOk, std::move(message));
}

}  // namespace steer
