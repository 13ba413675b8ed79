// Plays a gRPC whose base class has another layout than the one that the shim was compiled with.
// The linker sends the constructor of grpc_core::LoadBalancingPolicy here (--wrap). This hands
// another work serializer to the real constructor, so the class's accessor does not return what the
// shim passed in.
#include <memory>

#include "../../../cpp-shim/src/generation/base.h"

using Policy = grpc_core::LoadBalancingPolicy;

void RealConstructor(Policy* self, Policy::Args* args, intptr_t refs) __asm__(
    "__real__ZN9grpc_core19LoadBalancingPolicyC2ENS0_4ArgsEl");
void OtherConstructor(Policy* self, Policy::Args* args, intptr_t refs) __asm__(
    "__wrap__ZN9grpc_core19LoadBalancingPolicyC2ENS0_4ArgsEl");

// Args has a destructor, so the ABI passes its address, just as it passes a pointer.
void OtherConstructor(Policy* self, Policy::Args* args, intptr_t refs) {
  // Another address, which is never used, with the same owner.
  auto* const given = reinterpret_cast<char*>(args->work_serializer.get());
  args->work_serializer = std::shared_ptr<grpc_core::WorkSerializer>(
      args->work_serializer, reinterpret_cast<grpc_core::WorkSerializer*>(given + 8));
  RealConstructor(self, args, refs);
}
