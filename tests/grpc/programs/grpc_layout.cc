// Stands in for a gRPC whose base class has another layout than the one that the shim was compiled
// with: the linker sends the constructor of grpc_core::LoadBalancingPolicy here (--wrap), which
// hands the real one another work serializer than it was given. The class's accessor then does not
// return what the shim has passed in.
#include <memory>

#include "../../../cpp-shim/src/generation/base.h"

using Policy = grpc_core::LoadBalancingPolicy;

void RealConstructor(Policy* self, Policy::Args* args, intptr_t refs) __asm__(
    "__real__ZN9grpc_core19LoadBalancingPolicyC2ENS0_4ArgsEl");
void OtherConstructor(Policy* self, Policy::Args* args, intptr_t refs) __asm__(
    "__wrap__ZN9grpc_core19LoadBalancingPolicyC2ENS0_4ArgsEl");

// An argument with a destructor is passed by its address, as a pointer to it is.
void OtherConstructor(Policy* self, Policy::Args* args, intptr_t refs) {
  // Another address, which nobody uses, and the same owner.
  auto* const given = reinterpret_cast<char*>(args->work_serializer.get());
  args->work_serializer = std::shared_ptr<grpc_core::WorkSerializer>(
      args->work_serializer, reinterpret_cast<grpc_core::WorkSerializer*>(given + 8));
  RealConstructor(self, args, refs);
}
