// steer::Register(): gives gRPC a factory for each of the engine's policies, once in a process.
//
// Must not know: what a policy does.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine.h"
#include "generation.h"
#include "policy.h"
#include "steer/grpc.h"
#include "steer/steer.h"

// Not 0: Steer is registered in this process. Exported, so that the dynamic linker makes one
// variable of those of all copies of the shim: two registrations of one name would abort the
// process at its first channel.
extern "C" __attribute__((visibility("default"))) std::atomic<int> steer_grpc_registration;
std::atomic<int> steer_grpc_registration{0};

namespace steer {
namespace shim {
namespace {

class Factory final : public GrpcPolicyFactory {
 public:
  explicit Factory(std::string name) : name_(std::move(name)) {}

  Name name() const override { return NameOf(name_); }

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(name_, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    const std::string text = JsonText(json, Preferred());
    steer_config* config = nullptr;
    steer_string* error = nullptr;
    const steer_status status = steer_config_parse(ToC(name_), ToC(text), &config, &error);
    if (status != STEER_OK) {
      std::string message = TakeString(error);
      if (message.empty()) message = FromC(steer_status_text(status));
      return absl::InvalidArgumentError(message);
    }
    return grpc_core::MakeRefCounted<EngineConfig>(name_, config);
  }

 private:
  const std::string name_;
};

// One for each policy that the engine has now.
Factories MakeFactories() {
  Factories factories;
  steer_string* name = nullptr;
  while (steer_policy_name(factories.size(), &name) == STEER_OK) {
    factories.push_back(std::make_unique<Factory>(TakeString(name)));
  }
  return factories;
}

}  // namespace
}  // namespace shim

static RegisterStatus Failed(RegisterCode code, std::string message) {
  shim::Log(GPR_LOG_SEVERITY_ERROR, message);
  return RegisterStatus(code, std::move(message));
}

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
  shim::RegisterFactories<shim::MakeFactories>(shim::Preferred());
  std::string message = "steer::Register: registered";
  for (const auto& factory : shim::MakeFactories()) message += " " + std::string(factory->name());
  return RegisterStatus(RegisterCode::kOk, std::move(message));
}

}  // namespace steer
