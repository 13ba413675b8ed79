// Registers Steer when libsteer-grpc.so, which holds this file, is loaded by preload.cc.
//
// Must not know: anything but steer::Register. What fails is in gRPC's log by then.
#include "steer/grpc.h"

namespace {

__attribute__((constructor)) void RegisterAtLoad() { static_cast<void>(steer::Register()); }

}  // namespace
