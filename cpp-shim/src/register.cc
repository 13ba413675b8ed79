// steer::Register(): gives gRPC a factory for each of the engine's policies, once in a process.
//
// Must not know: what a policy does.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "generation.h"
#include "policy.h"
#include "src/core/lib/surface/completion_queue.h"
#include "steer/grpc.h"
#include "steer/host.hpp"

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
    std::string error;
    host::ConfigPtr config = host::ParseConfig(name_, JsonText(json, Preferred()), &error);
    if (config == nullptr) return absl::InvalidArgumentError(error);
    return grpc_core::MakeRefCounted<EngineConfig>(name_, std::move(config));
  }

 private:
  const std::string name_;
};

// One for each policy that the engine has now.
Factories MakeFactories() {
  Factories factories;
  for (std::string& name : host::PolicyNames()) {
    factories.push_back(std::make_unique<Factory>(std::move(name)));
  }
  return factories;
}

// Whether gRPC has built its configuration, as it does for its first channel or server: from then
// on it aborts when a builder is registered, or pays no heed.
bool TooLateToRegister() {
  // Linking fails here when the shim was compiled with another NDEBUG setting than gRPC, which
  // would corrupt memory: this function's parameters depend on it.
  static auto* volatile same_ndebug_as_grpc = &grpc_cq_internal_ref;
  return same_ndebug_as_grpc == nullptr || BuiltConfiguration()->load() != nullptr;
}

}  // namespace
}  // namespace shim

RegisterStatus Register() {
  return host::Register({&steer_grpc_registration, shim::TooLateToRegister,
                         [] { shim::RegisterFactories<shim::MakeFactories>(shim::Preferred()); },
                         [](const std::string& text) { shim::Log(GPR_LOG_SEVERITY_ERROR, text); }});
}

}  // namespace steer
