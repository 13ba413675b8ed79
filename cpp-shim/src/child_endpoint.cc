// Endpoints of gRPC from 1.60 on: a pick_first child with the endpoint's addresses, to which happy
// eyeballs, backoff and health checks are left (gRFC A61).
#include <memory>
#include <utility>

#include "endpoint.h"

#ifdef STEER_CHILD_ENDPOINTS
namespace steer::shim {

class Endpoint::Listener final : public GrpcPolicy::DelegatingChannelControlHelper {
 public:
  explicit Listener(grpc_core::RefCountedPtr<Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}

  grpc_core::RefCountedPtr<Subchannel> CreateSubchannel(const grpc_resolved_address& address,
                                                        const ChannelArgs& per_address_args,
                                                        const ChannelArgs& args) override {
    auto subchannel = parent_helper()->CreateSubchannel(address, per_address_args, args);
    if (subchannel != nullptr) WatchLoad(subchannel.get(), endpoint_->load_reports());
    return subchannel;
  }
  void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                   PickerPtr picker) override {
    if (endpoint_->connector_ == nullptr) return;
    if (state != GRPC_CHANNEL_READY) picker.reset();
    endpoint_->ReportLocked(state, status, std::move(picker));
  }

 private:
  GrpcHelper* parent_helper() const override { return endpoint_->policy()->helper(); }

  const grpc_core::RefCountedPtr<Endpoint> endpoint_;
};

namespace {

const auto& Policies() { return grpc_core::CoreConfiguration::Get().lb_policy_registry(); }

grpc_core::RefCountedPtr<GrpcConfig> PickFirstConfig() {
  using grpc_core::Json;
  return *Policies().ParseLoadBalancingConfig(
      Json::FromArray({Json::FromObject({{"pick_first", Json::FromObject({})}})}));
}

}  // namespace

EndpointChannel::EndpointChannel(ChannelArgs channel_args)
    : args(std::move(channel_args)),
      child_args(args.Set(GRPC_ARG_INTERNAL_PICK_FIRST_ENABLE_HEALTH_CHECKING, true)
                     .Set(GRPC_ARG_INTERNAL_PICK_FIRST_OMIT_STATUS_MESSAGE_PREFIX, true)),
      child_config(PickFirstConfig()) {}

Endpoint* Endpoint::NewLocked(EndpointArgs args) {
  auto* endpoint = new Endpoint(std::move(args));
  GrpcPolicy::UpdateArgs update;
  SetAddress(&update.addresses, *endpoint->args_.address);
  update.config = endpoint->args_.channel->child_config;
  update.args = endpoint->args_.channel->child_args;
  GrpcPolicy::Args child_args;
  child_args.work_serializer = endpoint->policy()->serializer();
  child_args.args = update.args;
  child_args.channel_control_helper = std::make_unique<Listener>(endpoint->Ref());
  endpoint->connector_ = Policies().CreateLoadBalancingPolicy("pick_first", std::move(child_args));
  grpc_pollset_set_add_pollset_set(endpoint->connector_->interested_parties(),
                                   endpoint->args_.policy->interested_parties());
  // What it refuses it reports as TRANSIENT_FAILURE too.
  endpoint->connector_->UpdateLocked(std::move(update)).IgnoreError();
  return endpoint;
}

void Endpoint::ConnectLocked() { connector_->ExitIdleLocked(); }

void Endpoint::ResetBackoffLocked() { connector_->ResetBackoffLocked(); }

void Endpoint::DropLocked() {
  grpc_pollset_set_del_pollset_set(connector_->interested_parties(),
                                   args_.policy->interested_parties());
  // Later: this may be the child that is reporting.
  policy()->serializer()->Run([child = connector_.release()] { child->Orphan(); }, DEBUG_LOCATION);
  Unref();
}

}  // namespace steer::shim
#endif  // STEER_CHILD_ENDPOINTS
