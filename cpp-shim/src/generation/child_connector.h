// Child mode, from gRPC 1.60 on: a pick_first child with the addresses of one endpoint. The child
// does happy eyeballs, backoff and health checks (gRFC A61). Included by connector.h alone.
//
// Differs between gRPC versions: an update's addresses are a container in 1.60, then an iterator.
// The headers moved in 1.62.
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_CHILD_CONNECTOR_H
#define STEER_SHIM_GENERATION_CHILD_CONNECTOR_H

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  bool StartLocked(const Address& address, const ConnectorArgs& shared, uint32_t connection);
  void ConnectLocked() { child_->ExitIdleLocked(); }
  void ResetBackoffLocked() { child_->ResetBackoffLocked(); }
  // Follows a change of load_reports(). gRPC can, in this mode.
  bool ChangeLoadReportsLocked() {
    WatchLoadLocked();
    return true;
  }
  void StopLocked();

 private:
  class ChildHelper;

  // Has the connected subchannel report its load as load_reports() says now. The others follow when
  // they are connected: before that they report nothing.
  void WatchLoadLocked();

  // Null before StartLocked and after StopLocked.
  grpc_core::OrphanablePtr<GrpcPolicy> child_;
  // The child's latest picker, if it is READY.
  PickerPtr picker_;
  // The subchannels that the child has made since it was IDLE, and their load reports. Pointer
  // values only, never dereferenced: the child owns the subchannels, and may have released some.
  std::vector<std::pair<const Subchannel*, LoadWatch>> load_watches_;
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
    if (subchannel == nullptr) return subchannel;
    auto& watches = connector_->load_watches_;
    // Another subchannel may have been there before.
    watches.erase(std::remove_if(watches.begin(), watches.end(),
                                 [&](auto& watch) { return watch.first == subchannel.get(); }),
                  watches.end());
    watches.emplace_back(subchannel.get(), LoadWatch());
    watches.back().second.Set(subchannel.get(), connector_->load_reports());
    return subchannel;
  }

  void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                   PickerPtr picker) override {
    const bool has_asked = std::exchange(has_asked_, false);
    if (connector_->child_ == nullptr) return;
    // An IDLE child has released its subchannels, and makes others when it connects.
    if (state == GRPC_CHANNEL_IDLE) connector_->load_watches_.clear();
    if (state != GRPC_CHANNEL_READY) picker.reset();
    connector_->picker_ = picker;
    connector_->WatchLoadLocked();
    connector_->OnStateLocked(state, status, std::move(picker), has_asked);
  }

  // The child requests it for a connection that is lost or that failed, before it reports that.
  void RequestReresolution() override {
    has_asked_ = true;
    parent_helper()->RequestReresolution();
  }

 private:
  GrpcHelper* parent_helper() const override { return connector_->helper(); }

  const grpc_core::RefCountedPtr<Connector> connector_;
  // Whether the child has requested re-resolution since its last report.
  bool has_asked_ = false;
};

inline bool Connector::StartLocked(const Address& address, const ConnectorArgs& shared,
                                   uint32_t connection) {
  GrpcPolicy::UpdateArgs update;
  SetAddress(&update.addresses, address);
  update.config = shared.child_config;
  update.args = WithConnection(shared.child_args, connection);
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

inline void Connector::WatchLoadLocked() {
  const LoadReports reports = load_reports();
  const auto follows = [&](const auto& watch) { return watch.second.Follows(reports); };
  if (picker_ == nullptr || std::all_of(load_watches_.begin(), load_watches_.end(), follows)) {
    return;
  }
  // pick_first gives every call the same subchannel.
  PickResult pick = picker_->Pick(GrpcPolicy::PickArgs());
  PickResult::Complete* const complete = CompleteOf(&pick);
  if (complete == nullptr) return;
  for (auto& [subchannel, watch] : load_watches_) {
    if (subchannel == complete->subchannel.get()) {
      watch.Set(complete->subchannel.get(), reports);
    }
  }
}

inline void Connector::StopLocked() {
  picker_.reset();
  grpc_pollset_set_del_pollset_set(child_->interested_parties(), interested_parties());
  // Later, because this may be the child that is reporting.
  serializer()->Run([child = child_.release()] { child->Orphan(); }, DEBUG_LOCATION);
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_CHILD_CONNECTOR_H
