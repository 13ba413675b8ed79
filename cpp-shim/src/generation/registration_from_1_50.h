// Registration from gRPC 1.50 on: builders of configurations. Included by registration.h alone.
//
// Differs between gRPC versions: from 1.73 on there are two lists of builders; the shim's builder
// goes to the persistent one.
//
// Must not depend on: the engine, what a policy does, how copies of Steer meet.
#ifndef STEER_SHIM_GENERATION_REGISTRATION_FROM_1_50_H
#define STEER_SHIM_GENERATION_REGISTRATION_FROM_1_50_H

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "config.h"
#include "registration.h"

namespace steer::shim {

// Returns a builder's private map of factories; see ConfigurationAccess.
using FactoryMap = std::map<absl::string_view, FactoryPtr>;
FactoryMap& FactoriesOf(RegistryBuilder* builder);
template <FactoryMap RegistryBuilder::*kMember>
struct FactoriesAccess {
  friend FactoryMap& FactoriesOf(RegistryBuilder* builder) { return builder->*kMember; }
};
template struct FactoriesAccess<&RegistryBuilder::factories_>;

inline bool HasPolicy(RegistryBuilder* builder, const std::string& name) {
  return FactoriesOf(builder).count(name) != 0;
}

inline void AddPolicy(RegistryBuilder* builder, FactoryPtr factory) {
  builder->RegisterLoadBalancingPolicyFactory(std::move(factory));
}

// Has the policy parse {"<field>":null}. Returns the config's name. Empty: no such config or
// policy.
inline std::string AskPolicy(RegistryBuilder* builder, const char* policy, const char* field) {
  const FactoryMap& factories = FactoriesOf(builder);
  const auto found = factories.find(policy);
  if (found == factories.end()) return "";
  return NameOfConfig(found->second->ParseLoadBalancingConfig(ConfigOf(field)));
}

inline bool BuiltHasPolicy(const std::string& name) {
  return Configuration::Get().lb_policy_registry().LoadBalancingPolicyExists(name, nullptr);
}

inline std::string AskBuiltPolicy(const char* policy, const char* field) {
  return NameOfConfig(Configuration::Get().lb_policy_registry().ParseLoadBalancingConfig(
      ArrayOf(ObjectOf(policy, ConfigOf(field), Preferred()), Preferred())));
}

// The head of gRPC's list of builders. From 1.73 on, of the list of persistent ones.
template <typename Builder>
std::atomic<Builder*>& LastBuilder(std::atomic<Builder*>& last) {
  return last;
}
template <typename Builder, size_t kKinds, typename From = Configuration>
std::atomic<Builder*>& LastBuilder(std::atomic<Builder*> (&last)[kKinds]) {
  return last[static_cast<size_t>(From::BuilderScope::kPersistent)];
}

// Registers a builder as CoreConfiguration::RegisterBuilder does, but without its assertions: they
// would end the process when another thread makes the first channel at this moment.
//
// Then runs the builders that were registered earlier, oldest first, on a registry that is thrown
// away, until `found` returns true. gRPC, too, runs builders more than once, and concurrently.
class BuilderRegistration {
 public:
  // `found` must live until Run returns.
  BuilderRegistration(void (*build)(RegistryBuilder*),
                      const std::function<bool(RegistryBuilder*)>& found)
      : build_(build), found_(found) {}

  template <typename List, typename NewBuilder>
  void Run(List& list, const NewBuilder& new_builder) const {
    auto& last = LastBuilder(list);
    // gRPC's list owns it from now on.
    auto* own = new std::remove_pointer_t<decltype(last.load())>();
    own->builder = [build = build_](Configuration::Builder* builder) {
      build(builder->lb_policy_registry());
    };
    own->next = last.load(std::memory_order_relaxed);
    // Acquire and release: pairs with gRPC's own registrations and its walks over the list.
    while (!last.compare_exchange_weak(own->next, own, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
    }
    std::vector<decltype(own)> earlier;
    for (auto* one = own->next; one != nullptr; one = one->next) earlier.push_back(one);
    if (earlier.empty()) return;
    const std::unique_ptr<Configuration::Builder> scratch(new_builder());
    while (!earlier.empty()) {
      earlier.back()->builder(scratch.get());
      if (found_(scratch->lb_policy_registry())) return;
      earlier.pop_back();
    }
  }

 private:
  void (*build_)(RegistryBuilder*);
  const std::function<bool(RegistryBuilder*)>& found_;
};

// The second argument of the specialization below, which takes two.
struct NoBuilder {};

}  // namespace steer::shim

// Specializes a member template of CoreConfiguration for the shim's types. As a member it may make
// a builder and read the list of builders.
template <>
inline void grpc_core::CoreConfiguration::RunWithSpecialConfiguration(
    steer::shim::BuilderRegistration registration, steer::shim::NoBuilder) {
  registration.Run(builders_, [] { return new Builder(); });
}

namespace steer::shim {

// Has gRPC call `kBuild` whenever it builds its configuration, on any thread. Calls `found` as
// BuilderRegistration says.
template <void (*kBuild)(RegistryBuilder*), typename Found>
void RegisterBuild(const Found& found) {
  const std::function<bool(RegistryBuilder*)> stop = found;
  Configuration::RunWithSpecialConfiguration(BuilderRegistration(kBuild, stop), NoBuilder());
}

// Does nothing: gRPC builds its configuration later, and then adds the policies that came after
// RegisterBuild, too.
template <void (*kBuild)(RegistryBuilder*)>
void BuildAgain() {}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_REGISTRATION_FROM_1_50_H
