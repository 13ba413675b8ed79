// What the engine calls an endpoint, made of this gRPC's parts; the seam between the two ways:
//
//   subchannel_endpoint.cc, to 1.59: an endpoint is a subchannel under a watch, and a connection is
//     that subchannel; picking it completes the pick.
//   child_endpoint.cc, from 1.60: an endpoint is a pick_first child with one endpoint's addresses,
//     and a connection is the child's READY picker; picking it delegates to that picker.
//
// Must not know: the engine, which reaches these through Policy.
#ifndef STEER_SHIM_ENDPOINT_H
#define STEER_SHIM_ENDPOINT_H

#include <utility>

#include "generation.h"
#include "policy.h"

namespace steer::shim {

// What the endpoints of an update have in common.
struct EndpointChannel {
  explicit EndpointChannel(ChannelArgs args);

  const ChannelArgs args;
#ifdef STEER_CHILD_ENDPOINTS
  // The children's.
  const ChannelArgs child_args;
  const grpc_core::RefCountedPtr<GrpcConfig> child_config;
#endif
};

// What an endpoint is made from.
struct EndpointArgs {
  // Held to the last, because connections use the policy's pollset_set.
  grpc_core::RefCountedPtr<GrpcPolicy> policy;
  uint64_t id;
  AddressPtr address;
  std::shared_ptr<const EndpointChannel> channel;
  // 0: no load reports.
  uint64_t load_period_ns;
};

// All in the work serializer. Referenced by the engine until it is dropped, and by what gRPC calls
// back until gRPC has destroyed that, which may be later.
class Endpoint final : public grpc_core::RefCounted<Endpoint> {
 public:
  // With a reference for the engine, which DropLocked gives back; or null when gRPC refuses.
  static Endpoint* NewLocked(EndpointArgs args);

  explicit Endpoint(EndpointArgs args) : args_(std::move(args)) {}

  const EndpointArgs& args() const { return args_; }
  void ConnectLocked();
  void ResetBackoffLocked();
  // It is not to be used any more.
  void DropLocked();

 private:
  class Listener;

  // `connection` is null but in READY.
  void ReportLocked(grpc_connectivity_state state, const absl::Status& status,
                    grpc_core::RefCountedPtr<Connection> connection) {
    policy()->ReportLocked(args_.id, state, status, connection.release());
  }
  Policy* policy() const { return static_cast<Policy*>(args_.policy.get()); }
  LoadReports load_reports() const {
    return policy()->LoadReportsOf(args_.id, args_.load_period_ns);
  }

  const EndpointArgs args_;
  // The subchannel or the child; null once dropped.
  Connector connector_;
#ifndef STEER_CHILD_ENDPOINTS
  // What must be cancelled before the subchannel is let go, if anything. Pointer value only.
  StateWatcher* watch_ = nullptr;
#endif
};

}  // namespace steer::shim

#endif  // STEER_SHIM_ENDPOINT_H
