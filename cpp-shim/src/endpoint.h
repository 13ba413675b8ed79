// What the engine calls an endpoint and a connection, made of this gRPC's parts. The seam between
// the two endpoint modes:
//
//   subchannel mode, to 1.59 (endpoint.cc): an endpoint is a subchannel under a watch, and a
//     connection is that subchannel; picking it completes the pick.
//   child mode, from 1.60: an endpoint is a pick_first child with one endpoint's addresses, and a
//     connection is the child's READY picker; picking it delegates to that picker.
//
// Must not know: the engine, which reaches these through Policy.
#ifndef STEER_SHIM_ENDPOINT_H
#define STEER_SHIM_ENDPOINT_H

#include "generation.h"

namespace steer {
namespace shim {

class Policy;

// All in the work serializer.
class Endpoint {
 public:
  // Null when gRPC refuses. Reports its states to policy->ReportLocked under `id`.
  static Endpoint* NewLocked(grpc_core::RefCountedPtr<GrpcPolicy> policy,
                             GrpcPolicy::ChannelControlHelper* helper, uint64_t id,
                             const Address& address, const ChannelArgs& args,
                             uint64_t args_version);

  virtual void ConnectLocked() = 0;
  virtual void ResetBackoffLocked() = 0;
  // Whether the policy's latest update has the same address with the same args at `index`.
  virtual bool MatchesLocked(uint32_t index) = 0;
  // Drops it; it is not to be used any more.
  virtual void DropLocked() = 0;

 protected:
  virtual ~Endpoint() = default;
};

// Picks over a connection that an endpoint reported with READY. Any thread. Here and not in a file
// of its own, because a call more is a tenth of a pick.
inline GrpcPolicy::PickResult PickConnection(void* connection, const GrpcPolicy::PickArgs&) {
  return GrpcPolicy::PickResult::Complete(
      static_cast<grpc_core::SubchannelInterface*>(connection)->Ref());
}

// Gives a connection's reference back. Where gRPC frees pickers, or in the work serializer.
void FreeConnection(void* connection);

}  // namespace shim
}  // namespace steer

#endif  // STEER_SHIM_ENDPOINT_H
