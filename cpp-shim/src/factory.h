// gRPC's factories of the engine's policies, and their configs.
//
// Must not know: what a config means.
#ifndef STEER_SHIM_FACTORY_H
#define STEER_SHIM_FACTORY_H

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generation.h"
#include "steer/steer.h"

namespace steer {
namespace shim {

// A parsed config of the engine's, as gRPC carries it from the parser to the policy.
class EngineConfig : public GrpcConfig {
 public:
  // Takes `config` over.
  EngineConfig(std::string policy_name, steer_config* config)
      : policy_name_(std::move(policy_name)), config_(config) {}
  ~EngineConfig() override { steer_config_free(config_); }

  absl::string_view name() const override { return policy_name_; }
  const steer_config* get() const { return config_; }

 private:
  const std::string policy_name_;
  steer_config* const config_;
};

std::vector<std::unique_ptr<GrpcPolicyFactory>> MakeFactories(
    const std::vector<std::string>& names);

}  // namespace shim
}  // namespace steer

#endif  // STEER_SHIM_FACTORY_H
