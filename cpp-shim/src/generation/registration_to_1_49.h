// Registration up to gRPC 1.49: plugins and one registry. Included by registration.h alone.
//
// Differs between gRPC versions: up to 1.48 a parser returns its error through a parameter.
//
// Must not depend on: the engine, what a policy does, how copies of Steer meet.
#ifndef STEER_SHIM_GENERATION_REGISTRATION_TO_1_49_H
#define STEER_SHIM_GENERATION_REGISTRATION_TO_1_49_H

#include <grpc/grpc.h>

#include <cstdio>
#include <string>
#include <utility>

#include "config.h"
#include "registration.h"

namespace steer::shim {

inline bool HasPolicy(RegistryBuilder*, const std::string& name) {
  RegistryBuilder::InitRegistry();
  return Registry::LoadBalancingPolicyExists(Name(name.c_str()), nullptr);
}

inline void AddPolicy(RegistryBuilder*, FactoryPtr factory) {
  RegistryBuilder::RegisterLoadBalancingPolicyFactory(std::move(factory));
}

// Has the policy parse {"<field>":null}. Returns the config's name. Empty: no such config or
// policy.
inline std::string AskPolicy(RegistryBuilder*, const char* policy, const char* field) {
  if (!HasPolicy(nullptr, policy)) return "";
  const auto list = ArrayOf(ObjectOf(policy, ConfigOf(field), Preferred()), Preferred());
#ifdef STEER_GRPC_TO_1_48
  grpc_error_handle error = GRPC_ERROR_NONE;
  const auto config = Registry::ParseLoadBalancingConfig(list, &error);
  GRPC_ERROR_UNREF(error);
  return config != nullptr ? std::string(config->name()) : std::string();
#else
  return NameOfConfig(Registry::ParseLoadBalancingConfig(list));
#endif
}

inline bool BuiltHasPolicy(const std::string& name) { return HasPolicy(nullptr, name); }

inline std::string AskBuiltPolicy(const char* policy, const char* field) {
  return AskPolicy(nullptr, policy, field);
}

// Held while the registry changes. gRPC's list of plugins and its registry have no lock, and the
// copies of Steer in a process share no variable. So this takes the C library's lock of stderr:
// the process has one, and it is recursive.
class RegistryLock {
 public:
  RegistryLock() { flockfile(stderr); }
  ~RegistryLock() { funlockfile(stderr); }
  RegistryLock(const RegistryLock&) = delete;
  RegistryLock& operator=(const RegistryLock&) = delete;
};

// Has gRPC call `kBuild` whenever the library starts. Also calls it now, unless `found` returns
// true.
template <void (*kBuild)(RegistryBuilder*), typename Found>
void RegisterBuild(const Found& found) {
  const RegistryLock lock;
  const auto register_plugin = [](auto* start) { grpc_register_plugin(start, [] {}); };
  void (*start)() = [] { kBuild(nullptr); };
  register_plugin(start);
  if (!found(static_cast<RegistryBuilder*>(nullptr))) kBuild(nullptr);
}

// Adds the policies that came after RegisterBuild.
template <void (*kBuild)(RegistryBuilder*)>
void BuildAgain() {
  const RegistryLock lock;
  kBuild(nullptr);
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_REGISTRATION_TO_1_49_H
