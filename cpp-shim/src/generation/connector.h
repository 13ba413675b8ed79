// The gRPC object behind an endpoint: the base class of Endpoint, in one of two modes.
//
//   subchannel_connector.h, up to 1.59: a subchannel under a watch. A connection is that
//     subchannel; picking it completes the pick.
//   child_connector.h, from 1.60 on: a pick_first child. A connection is the child's READY picker;
//     picking it asks that picker.
//
// Both define ConnectorArgs and Connector, with the same methods:
//
//   bool StartLocked(address, args, connection)   false: gRPC refuses the address
//   void ConnectLocked()
//   void ResetBackoffLocked()
//   void StopLocked()   once, after a StartLocked that returned true
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_CONNECTOR_H
#define STEER_SHIM_GENERATION_CONNECTOR_H

#include "base.h"

#ifdef STEER_CHILD_ENDPOINTS
#include "child_connector.h"
#else
#include "subchannel_connector.h"
#endif

#endif  // STEER_SHIM_GENERATION_CONNECTOR_H
