// How policies are added to gRPC, and how a copy of Steer asks for those of another copy.
//
// Differs between gRPC versions: up to 1.49 there is one registry for the process, filled by
// plugins whenever the library starts (registration_to_1_49.h). From 1.50 on a builder fills the
// registry of each configuration (registration_from_1_50.h). Both files define:
//
//   HasPolicy, AddPolicy, AskPolicy    for a registry that is being filled
//   BuiltHasPolicy, AskBuiltPolicy     for the registry that gRPC uses
//   RegisterBuild, BuildAgain          have gRPC call a function that fills registries
//
// Must not depend on: the engine, what a policy does, how copies of Steer meet.
#ifndef STEER_SHIM_GENERATION_REGISTRATION_H
#define STEER_SHIM_GENERATION_REGISTRATION_H

#include <atomic>
#include <memory>
#include <string>

#include "base.h"

namespace steer::shim {

using Registry = grpc_core::LoadBalancingPolicyRegistry;
// What policies are added to. Up to 1.49 its functions are static and it is never made.
using RegistryBuilder = Registry::Builder;
using FactoryPtr = std::unique_ptr<grpc_core::LoadBalancingPolicyFactory>;

// Returns CoreConfiguration's private pointer to the built configuration. C++ lets an explicit
// instantiation name private members; the friend function hands the result out.
std::atomic<Configuration*>* BuiltConfiguration();
template <std::atomic<Configuration*>* kPointer>
struct ConfigurationAccess {
  friend std::atomic<Configuration*>* BuiltConfiguration() { return kPointer; }
};
template struct ConfigurationAccess<&Configuration::config_>;

// The name of a parsed config. Empty: there is none.
template <typename ConfigOrError>
std::string NameOfConfig(const ConfigOrError& config) {
  return config.ok() && *config != nullptr ? std::string((*config)->name()) : std::string();
}

}  // namespace steer::shim

#if __has_include("src/core/ext/filters/client_channel/proxy_mapper_registry.h")  // up to 1.49
#define STEER_GRPC_TO_1_49 1
#include "registration_to_1_49.h"
#else
#include "registration_from_1_50.h"
#endif

#endif  // STEER_SHIM_GENERATION_REGISTRATION_H
