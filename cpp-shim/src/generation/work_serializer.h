// How the shim enters gRPC's work serializer.
//
// Differs between gRPC versions: up to 1.70 WorkSerializer::Run may run work at once, and then also
// the work that other threads add meanwhile. From 1.71 on it always hands work to another thread.
//
// Must not depend on: the engine, what the work does.
#ifndef STEER_SHIM_GENERATION_WORK_SERIALIZER_H
#define STEER_SHIM_GENERATION_WORK_SERIALIZER_H

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base.h"
#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/iomgr/exec_ctx.h"

namespace steer::shim {

// Runs `work` in the work serializer, but never before this function returns. Any thread, and with
// any lock of gRPC's held.
//
// Up to 1.70 work that runs at once may need those locks. So `work` enters the serializer from a
// closure of the thread's ExecCtx: the thread runs that closure when it leaves gRPC's code, and it
// holds no lock of gRPC's then.
template <typename Serializer>
auto RunSerialisedLater(std::shared_ptr<Serializer> serializer, std::function<void()> work,
                        Preferred) -> decltype(serializer->DrainQueue()) {
  struct Hop {
    std::shared_ptr<Serializer> serializer;
    std::function<void()> work;
  };
  const auto run = [](void* arg, grpc_error_handle) {
    const std::unique_ptr<Hop> hop(static_cast<Hop*>(arg));
    hop->serializer->Run(std::move(hop->work), DEBUG_LOCATION);
  };
  auto* const hop = new Hop{std::move(serializer), std::move(work)};
  // A thread without an ExecCtx is not in gRPC's code. The end of this one runs the closure.
  std::optional<grpc_core::ExecCtx> exec_ctx;
  if (grpc_core::ExecCtx::Get() == nullptr) exec_ctx.emplace();
  grpc_core::ExecCtx::Run(DEBUG_LOCATION, GRPC_CLOSURE_CREATE(run, hop, nullptr),
                          grpc_error_handle());
}
// From 1.71 on.
template <typename Serializer>
void RunSerialisedLater(std::shared_ptr<Serializer> serializer, std::function<void()> work,
                        Fallback) {
  serializer->Run(std::move(work), DEBUG_LOCATION);
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_WORK_SERIALIZER_H
