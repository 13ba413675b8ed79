// Registers Steer when preload.cc loads libsteer-grpc.so, which contains this file.
//
// Must not depend on: anything except steer::Register, which writes its errors to gRPC's log.
#include "steer/grpc.h"

namespace {

__attribute__((constructor)) void RegisterAtLoad() { static_cast<void>(steer::Register()); }

}  // namespace
