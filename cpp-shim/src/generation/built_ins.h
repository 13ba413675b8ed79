// gRPC's own policies, and how others take their places.
//
// Differs between gRPC versions: from 1.50 on, gRPC's own policies come from a builder that runs
// after all others and that can be wrapped. Up to 1.49 they are plugins of the library, and its
// registry neither replaces a policy nor gives one back.
//
// Must not depend on: the engine, which names are taken over.
#ifndef STEER_SHIM_GENERATION_BUILT_INS_H
#define STEER_SHIM_GENERATION_BUILT_INS_H

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "config.h"
#include "registration.h"

namespace steer::shim {

// One factory under two names.
using SharedFactory = std::shared_ptr<grpc_core::LoadBalancingPolicyFactory>;

#ifdef STEER_GRPC_TO_1_49

constexpr bool kCanReplaceBuiltIns = false;

template <void (*kReplace)(RegistryBuilder*)>
void ReplaceBuiltIns() {}

inline SharedFactory MovePolicy(RegistryBuilder*, const std::string&, const std::string&) {
  return nullptr;
}

#else

constexpr bool kCanReplaceBuiltIns = true;

using CoreBuilder = Configuration::Builder;
using CoreBuild = void (*)(CoreBuilder*);

// Returns CoreConfiguration's private pointer to the builder of what is built in; see
// ConfigurationAccess.
CoreBuild* DefaultBuild();
template <CoreBuild* kPointer>
struct DefaultBuildAccess {
  friend CoreBuild* DefaultBuild() { return kPointer; }
};
template struct DefaultBuildAccess<&Configuration::default_builder_>;

// Wraps gRPC's own builder.
template <void (*kReplace)(RegistryBuilder*)>
class BuiltIns {
 public:
  static void Wrap() {
    static std::mutex mu;
    const std::lock_guard<std::mutex> lock(mu);
    CoreBuild& build = *DefaultBuild();
    if (build != nullptr && build != &Run) grpcs_ = std::exchange(build, &Run);
  }

 private:
  static void Run(CoreBuilder* builder) {
    grpcs_(builder);
    kReplace(builder->lb_policy_registry());
  }

  static inline CoreBuild grpcs_ = nullptr;
};

// Has gRPC call `kReplace` for each registry when its own policies are in it. A builder calls this.
// gRPC reads the pointer to its own builder after it ran the others, on the same thread. So each
// thread that builds passes the lock before it reads what was written here.
template <void (*kReplace)(RegistryBuilder*)>
void ReplaceBuiltIns() {
  BuiltIns<kReplace>::Wrap();
}

// Makes a policy known under another name. Its configs keep the former one, so the factory of that
// name must make its policies.
class MovedFactory final : public GrpcPolicyFactory {
 public:
  MovedFactory(std::string name, SharedFactory factory)
      : name_(std::move(name)), factory_(std::move(factory)) {}

  Name name() const override { return NameOf(name_); }

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return factory_->CreateLoadBalancingPolicy(std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    return factory_->ParseLoadBalancingConfig(json);
  }

 private:
  const std::string name_;
  const SharedFactory factory_;
};

// Moves a policy to another name, unless that is in use. Returns its factory. NULL: there is no
// policy of this name.
inline SharedFactory MovePolicy(RegistryBuilder* builder, const std::string& from,
                                const std::string& to) {
  const auto node = FactoriesOf(builder).extract(from);
  if (node.empty()) return nullptr;
  const SharedFactory factory = std::move(node.mapped());
  if (!HasPolicy(builder, to)) AddPolicy(builder, std::make_unique<MovedFactory>(to, factory));
  return factory;
}

#endif  // STEER_GRPC_TO_1_49

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_BUILT_INS_H
