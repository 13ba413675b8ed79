// Names of gRPC's own policies that other policies take over.
#include "take_over.h"

#include <memory>
#include <utility>

#include "copies.h"
#include "factory.h"

namespace steer::shim {
namespace {

// In the place of a factory of gRPC's. Makes gRPC's own policy for the configs that were parsed
// under grpc_<name>.
class TakenFactory final : public Factory {
 public:
  TakenFactory(const host::TakenName& taken, SharedFactory grpcs)
      : Factory(taken.name, taken.policy), grpcs_(std::move(grpcs)) {}

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    if (grpcs_ == nullptr) return Factory::CreateLoadBalancingPolicy(std::move(args));
    return grpcs_->CreateLoadBalancingPolicy(std::move(args));
  }

 private:
  // NULL: the linked gRPC has no policy of this name.
  const SharedFactory grpcs_;
};

void ReplaceIn(RegistryBuilder* builder) {
  // Without Steer's policies, this registry is from before Steer was registered.
  if (!HasPolicy(builder, kMeetingPolicy)) return;
  for (const host::TakenName& taken : host::TakenNames()) {
    SharedFactory grpcs = MovePolicy(builder, taken.name, "grpc_" + taken.name);
    AddPolicy(builder, std::make_unique<TakenFactory>(taken, std::move(grpcs)));
  }
}

std::string FaultOf(steer_status status) {
  // A program can take names over before Steer is registered, and so before the engine knows this.
  const bool taken = status == STEER_OK && !host::TakenNames().empty();
  if (!kCanReplaceBuiltIns && (taken || status == STEER_TOO_LATE)) {
    return "gRPC up to 1.49 has no way to replace its own policies, so no name was taken over. "
           "Name Steer's policy in the service config, or use gRPC 1.50 or newer";
  }
  return status == STEER_OK ? "" : FromC(steer_last_error());
}

}  // namespace

void ReplaceTakenNames() {
  if (!host::TakenNames().empty()) ReplaceBuiltIns<ReplaceIn>();
}

std::string TakerOf(const std::string& name) {
  for (host::TakenName& taken : host::TakenNames()) {
    if (taken.name == name) return std::move(taken.policy);
  }
  return "";
}

std::string TakeOverEnvironment() { return FaultOf(steer_take_over_environment()); }

std::string TakeOverFor(const RegisterOptions& options) {
  std::string settings;
  for (const TakeOver& one : options.take_over) {
    settings += one.name + "=" + one.policy + one.config + ",";
  }
  return settings.empty() ? "" : FaultOf(steer_take_over(ToC(settings)));
}

std::string ListTakenNames() {
  std::string list;
  for (const host::TakenName& taken : host::TakenNames()) {
    list += (list.empty() ? "took over " : ", ") + taken.name + " (" + taken.policy + ")";
  }
  return list;
}

}  // namespace steer::shim
