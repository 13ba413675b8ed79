// What both kinds of Connector need from the endpoint that derives from them.
//
// Differs between gRPC versions: nothing.
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_CONNECTOR_BASE_H
#define STEER_SHIM_GENERATION_CONNECTOR_BASE_H

#include <grpc/grpc.h>

#include <cstdint>

#include "absl/status/status.h"
#include "base.h"
#include "load_reports.h"

namespace steer::shim {

// Channel args for one of several connections to a backend. gRPC gives subchannels with equal args
// the same connection, so another number needs other args.
inline ChannelArgs WithConnection(const ChannelArgs& args, uint32_t connection) {
  return connection == 0 ? args : args.Set("steer.connection", static_cast<int>(connection));
}

// All methods run in the work serializer. gRPC's callbacks hold references, so a connector may
// outlive its StopLocked until gRPC has destroyed them.
template <typename Connector>
class ConnectorBase : public grpc_core::RefCounted<Connector> {
 protected:
  // Tells the endpoint about a state. `connection` is null unless the state is READY. `has_asked`:
  // the connector has requested re-resolution for this change.
  virtual void OnStateLocked(grpc_connectivity_state state, const absl::Status& status,
                             grpc_core::RefCountedPtr<Connection> connection, bool has_asked) = 0;

  // What gRPC gave to the policy.
  virtual GrpcHelper* helper() const = 0;
  virtual const SerializerPtr& serializer() const = 0;
  virtual grpc_pollset_set* interested_parties() const = 0;

  // Whether and where the endpoint's backend reports its load now.
  virtual LoadReports load_reports() const = 0;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_CONNECTOR_BASE_H
