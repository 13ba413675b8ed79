// Subchannel mode, for gRPC up to 1.59: an endpoint is a subchannel under a watch.
#include "endpoint.h"

#include <memory>
#include <utility>

#include "policy.h"

namespace steer {
namespace shim {
namespace {

using grpc_core::RefCountedPtr;
using grpc_core::SubchannelInterface;

// Referenced by the engine until it is dropped, and by its watcher until gRPC has destroyed that,
// which may be later.
class SubchannelEndpoint : public Endpoint, public grpc_core::RefCounted<SubchannelEndpoint> {
 public:
  SubchannelEndpoint(RefCountedPtr<GrpcPolicy> policy,
                     RefCountedPtr<SubchannelInterface> subchannel, uint64_t id, Address address,
                     uint64_t args_version)
      : policy_(std::move(policy)),
        subchannel_(std::move(subchannel)),
        id_(id),
        address_(std::move(address)),
        args_version_(args_version) {}

  void WatchLocked() {
    auto watcher = std::make_unique<Watcher>(Ref());
    watcher_ = watcher.get();
    subchannel_->WatchConnectivityState(std::move(watcher));
  }

  void ConnectLocked() override { subchannel_->RequestConnection(); }
  void ResetBackoffLocked() override { subchannel_->ResetBackoff(); }

  bool MatchesLocked(uint32_t index) override {
    return policy()->SameAddressLocked(address_, args_version_, index);
  }

  void DropLocked() override {
    subchannel_->CancelConnectivityStateWatch(watcher_);
    subchannel_.reset();
    Unref();
  }

 private:
  class Watcher : public SubchannelInterface::ConnectivityStateWatcherInterface {
   public:
    explicit Watcher(RefCountedPtr<SubchannelEndpoint> endpoint) : endpoint_(std::move(endpoint)) {}

    void OnConnectivityStateChange(grpc_connectivity_state state, absl::Status status) override {
      endpoint_->ReportLocked(state, status);
    }

    grpc_pollset_set* interested_parties() override {
      return endpoint_->policy_->interested_parties();
    }

   private:
    const RefCountedPtr<SubchannelEndpoint> endpoint_;
  };

  Policy* policy() const { return static_cast<Policy*>(policy_.get()); }

  void ReportLocked(grpc_connectivity_state state, const absl::Status& status) {
    // A notification that was under way when the endpoint was dropped.
    if (subchannel_ == nullptr) return;
    void* connection = nullptr;
    if (state == GRPC_CHANNEL_READY) connection = subchannel_->Ref().release();
    policy()->ReportLocked(id_, state, status, connection);
  }

  // Held to the last, because subchannels use the policy's pollset_set.
  const RefCountedPtr<GrpcPolicy> policy_;
  // Null once dropped.
  RefCountedPtr<SubchannelInterface> subchannel_;
  // Owned by the subchannel. Pointer value only.
  Watcher* watcher_ = nullptr;
  const uint64_t id_;
  const Address address_;
  const uint64_t args_version_;
};

}  // namespace

Endpoint* Endpoint::NewLocked(RefCountedPtr<GrpcPolicy> policy,
                              GrpcPolicy::ChannelControlHelper* helper, uint64_t id,
                              const Address& address, const ChannelArgs& args,
                              uint64_t args_version) {
  RefCountedPtr<SubchannelInterface> subchannel = helper->CreateSubchannel(address, args);
  if (subchannel == nullptr) return nullptr;
  auto endpoint = grpc_core::MakeRefCounted<SubchannelEndpoint>(
      std::move(policy), std::move(subchannel), id, address, args_version);
  endpoint->WatchLocked();
  // DropLocked gives this reference back.
  return endpoint.release();
}

void FreeConnection(void* connection) { static_cast<SubchannelInterface*>(connection)->Unref(); }

}  // namespace shim
}  // namespace steer
