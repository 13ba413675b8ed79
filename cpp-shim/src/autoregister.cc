// Registers Steer when the library that holds this file is loaded: linked, or preloaded under a
// program that knows nothing of it.
//
// Must not know: anything but steer::Register. What fails is in gRPC's log by then.
#include "steer/grpc.h"

namespace {

__attribute__((constructor)) void RegisterAtLoad() { steer::Register(); }

}  // namespace
