// gRPC's factory of one policy of the engine's: parses configs and makes policies.
#include "factory.h"

#include <utility>

#include "policy.h"
#include "text.h"

namespace steer {
namespace shim {
namespace {

class Factory : public GrpcPolicyFactory {
 public:
  explicit Factory(std::string name) : name_(std::move(name)) {}

  absl::string_view name() const override { return name_; }

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(name_, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    const std::string text = JsonText(json);
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

}  // namespace

std::vector<std::unique_ptr<GrpcPolicyFactory>> MakeFactories(
    const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<GrpcPolicyFactory>> factories;
  for (const std::string& name : names) factories.push_back(std::make_unique<Factory>(name));
  return factories;
}

}  // namespace shim
}  // namespace steer
