// What both kinds of Connector need from the endpoint that derives from them.
//
// Differs between gRPC versions: nothing.
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_CONNECTOR_BASE_H
#define STEER_SHIM_GENERATION_CONNECTOR_BASE_H

#include <grpc/grpc.h>

#include "absl/status/status.h"
#include "base.h"
#include "load_reports.h"

namespace steer::shim {

// All methods run in the work serializer. gRPC's callbacks hold references, so a connector may
// outlive its StopLocked until gRPC has destroyed them.
template <typename Connector>
class ConnectorBase : public grpc_core::RefCounted<Connector> {
 protected:
  // Tells the endpoint about a state. `connection` is null unless the state is READY.
  virtual void OnStateLocked(grpc_connectivity_state state, const absl::Status& status,
                             grpc_core::RefCountedPtr<Connection> connection) = 0;

  // What gRPC gave to the policy.
  virtual GrpcHelper* helper() const = 0;
  virtual const SerializerPtr& serializer() const = 0;
  virtual grpc_pollset_set* interested_parties() const = 0;

  virtual LoadReports load_reports() const = 0;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_CONNECTOR_BASE_H
