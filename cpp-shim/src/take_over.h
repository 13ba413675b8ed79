// Names of gRPC's own policies that other policies take over: `round_robin` in a service config
// makes Steer's policy.
//
// A factory under gRPC's name parses configs as the engine says. The result is a config of the
// policy that took the name, and so gRPC makes that policy. gRPC's own policy gets the name
// grpc_<name>. Its configs still have gRPC's name, so the factory of that name makes it.
//
// Must not depend on: which names can be taken over, which configs are understood.
#ifndef STEER_SHIM_TAKE_OVER_H
#define STEER_SHIM_TAKE_OVER_H

#include <string>

#include "generation/built_ins.h"
#include "steer/grpc.h"

namespace steer::shim {

// Has the names that are taken over replaced in the registry that is being built, and in later
// ones. Does nothing if there are none. A builder calls this.
void ReplaceTakenNames();

// The policy that took a name over. Empty: none has.
std::string TakerOf(const std::string& name);

// Takes over the names that STEER_TAKE_OVER sets. Why that failed; empty: it did not.
std::string TakeOverEnvironment();
// Takes over these names, or none of them. The result is as above.
std::string TakeOverFor(const RegisterOptions& options);

// "took over round_robin (steer_peak_ewma), …". Empty: no name is taken over.
std::string ListTakenNames();

}  // namespace steer::shim

#endif  // STEER_SHIM_TAKE_OVER_H
