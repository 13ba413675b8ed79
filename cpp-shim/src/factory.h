// gRPC's factory of one of the engine's policies.
//
// Must not depend on: what a policy does, how factories are registered.
#ifndef STEER_SHIM_FACTORY_H
#define STEER_SHIM_FACTORY_H

#include <string>
#include <utility>

#include "generation/config.h"
#include "policy.h"
#include "steer/host.hpp"

namespace steer::shim {

// Parses configs that are given to `name`, and makes `policy`. The two differ if the policy took
// over a name of gRPC's. gRPC's registry owns the factory.
class Factory : public GrpcPolicyFactory {
 public:
  explicit Factory(const std::string& name) : Factory(name, name) {}
  Factory(std::string name, std::string policy)
      : name_(std::move(name)), policy_(std::move(policy)) {}

  Name name() const override { return NameOf(name_); }

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(policy_, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    std::string error;
    host::ConfigPtr config = host::ParseConfig(name_, JsonText(json, Preferred()), &error);
    if (config == nullptr) return absl::InvalidArgumentError(error);
    return grpc_core::MakeRefCounted<EngineConfig>(policy_, std::move(config));
  }

 private:
  const std::string name_;
  const std::string policy_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_FACTORY_H
