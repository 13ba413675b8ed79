// Child mode, from gRPC 1.60 on: a pick_first child with the addresses of one endpoint. The child
// does happy eyeballs, backoff and health checks (gRFC A61). Included by connector.h alone.
//
// Differs between gRPC versions: an update's addresses are a container in 1.60, then an iterator.
// The headers moved in 1.62.
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_CHILD_CONNECTOR_H
#define STEER_SHIM_GENERATION_CHILD_CONNECTOR_H

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base.h"
#include "connector_base.h"
#include "load_reports.h"
#include "picks.h"

#if __has_include("src/core/load_balancing/delegating_helper.h")  // from 1.62
#include "src/core/load_balancing/delegating_helper.h"
#include "src/core/load_balancing/pick_first/pick_first.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy/pick_first/pick_first.h"
#include "src/core/lib/load_balancing/delegating_helper.h"
#endif

namespace steer::shim {

// The failure of a connection, in the words that gRPC's round_robin of this version shows to users.
inline std::string FailureText(const absl::Status& status) { return std::string(status.message()); }

// Makes `address` the only one of a pick_first's update.
template <typename Container>
void SetAddress(absl::StatusOr<Container>* to, const Address& address) {
  *to = Container({address});
}
// From 1.61 on.
template <typename Iterator>
void SetAddress(absl::StatusOr<std::shared_ptr<Iterator>>* to, const Address& address) {
  struct One final : Iterator {
    explicit One(const Address& one) : one(one) {}
    void ForEach(absl::FunctionRef<void(const Address&)> callback) const override { callback(one); }
    const Address one;
  };
  *to = std::make_shared<One>(address);
}

inline const auto& GrpcPolicies() { return Configuration::Get().lb_policy_registry(); }

inline grpc_core::RefCountedPtr<GrpcConfig> PickFirstConfig() {
  using grpc_core::Json;
  return *GrpcPolicies().ParseLoadBalancingConfig(
      Json::FromArray({Json::FromObject({{"pick_first", Json::FromObject({})}})}));
}

// What the endpoints of an update share.
struct ConnectorArgs {
  explicit ConnectorArgs(ChannelArgs channel_args)
      : args(std::move(channel_args)),
        child_args(args.Set(GRPC_ARG_INTERNAL_PICK_FIRST_ENABLE_HEALTH_CHECKING, true)
                       .Set(GRPC_ARG_INTERNAL_PICK_FIRST_OMIT_STATUS_MESSAGE_PREFIX, true)),
        child_config(PickFirstConfig()) {}

  const ChannelArgs args;
  const ChannelArgs child_args;
  const grpc_core::RefCountedPtr<GrpcConfig> child_config;
};

class Connector : public ConnectorBase<Connector> {
 public:
  bool StartLocked(const Address& address, const ConnectorArgs& args);
  void ConnectLocked() { child_->ExitIdleLocked(); }
  void ResetBackoffLocked() { child_->ResetBackoffLocked(); }
  void StopLocked();

 private:
  class ChildHelper;

  // Null before StartLocked and after StopLocked.
  grpc_core::OrphanablePtr<GrpcPolicy> child_;
};

// The child's way to the channel. The child owns it, and may report after StopLocked.
class Connector::ChildHelper final : public GrpcPolicy::DelegatingChannelControlHelper {
 public:
  explicit ChildHelper(grpc_core::RefCountedPtr<Connector> connector)
      : connector_(std::move(connector)) {}

  grpc_core::RefCountedPtr<Subchannel> CreateSubchannel(const grpc_resolved_address& address,
                                                        const ChannelArgs& per_address_args,
                                                        const ChannelArgs& args) override {
    auto subchannel = parent_helper()->CreateSubchannel(address, per_address_args, args);
    if (subchannel != nullptr) WatchLoad(subchannel.get(), connector_->load_reports());
    return subchannel;
  }

  void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                   PickerPtr picker) override {
    if (connector_->child_ == nullptr) return;
    if (state != GRPC_CHANNEL_READY) picker.reset();
    connector_->OnStateLocked(state, status, std::move(picker));
  }

 private:
  GrpcHelper* parent_helper() const override { return connector_->helper(); }

  const grpc_core::RefCountedPtr<Connector> connector_;
};

inline bool Connector::StartLocked(const Address& address, const ConnectorArgs& args) {
  GrpcPolicy::UpdateArgs update;
  SetAddress(&update.addresses, address);
  update.config = args.child_config;
  update.args = args.child_args;
  GrpcPolicy::Args child_args;
  child_args.work_serializer = serializer();
  child_args.args = update.args;
  child_args.channel_control_helper = std::make_unique<ChildHelper>(Ref());
  child_ = GrpcPolicies().CreateLoadBalancingPolicy("pick_first", std::move(child_args));
  grpc_pollset_set_add_pollset_set(child_->interested_parties(), interested_parties());
  // The child reports a refused update as TRANSIENT_FAILURE, too.
  child_->UpdateLocked(std::move(update)).IgnoreError();
  return true;
}

inline void Connector::StopLocked() {
  grpc_pollset_set_del_pollset_set(child_->interested_parties(), interested_parties());
  // Later, because this may be the child that is reporting.
  serializer()->Run([child = child_.release()] { child->Orphan(); }, DEBUG_LOCATION);
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_CHILD_CONNECTOR_H
