// Endpoints of gRPC up to 1.59: a subchannel under a watch.
#include <memory>
#include <utility>

#include "endpoint.h"

#ifndef STEER_CHILD_ENDPOINTS
namespace steer::shim {

class Endpoint::Listener final : public StateWatcher {
 public:
  explicit Listener(grpc_core::RefCountedPtr<Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}

  void OnState(grpc_connectivity_state state, const absl::Status& status) override {
    const Connector& subchannel = endpoint_->connector_;
    // A notification that was under way when the endpoint was dropped.
    if (subchannel == nullptr) return;
    // In 1.46 a failed subchannel waits to be asked. Later ones go IDLE, and have a reason here.
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE && status.ok()) endpoint_->ConnectLocked();
    endpoint_->ReportLocked(state, status,
                            state == GRPC_CHANNEL_READY ? subchannel->Ref() : nullptr);
  }
  grpc_pollset_set* interested_parties() override {
    return endpoint_->args().policy->interested_parties();
  }

 private:
  const grpc_core::RefCountedPtr<Endpoint> endpoint_;
};

EndpointChannel::EndpointChannel(ChannelArgs args) : args(std::move(args)) {}

Endpoint* Endpoint::NewLocked(EndpointArgs args) {
  auto* const policy = static_cast<Policy*>(args.policy.get());
  Connector subchannel = CreateSubchannel(policy->helper(), *args.address, args.channel->args);
  if (subchannel == nullptr) return nullptr;
  auto* endpoint = new Endpoint(std::move(args));
  endpoint->connector_ = std::move(subchannel);
  WatchLoad(endpoint->connector_.get(), endpoint->load_reports());
  endpoint->watch_ =
      StartWatch(endpoint->connector_.get(), std::make_unique<Listener>(endpoint->Ref()),
                 policy->serializer(), endpoint->args_.channel->args);
  return endpoint;
}

void Endpoint::ConnectLocked() { RequestConnection(connector_.get(), Preferred()); }

void Endpoint::ResetBackoffLocked() { connector_->ResetBackoff(); }

void Endpoint::DropLocked() {
  if (watch_ != nullptr) connector_->CancelConnectivityStateWatch(watch_);
  connector_.reset();
  Unref();
}

}  // namespace steer::shim
#endif  // STEER_CHILD_ENDPOINTS
