// What differs between gRPC generations, as named types and functions. Everything else of the shim
// reads as if only one gRPC existed.
//
// This one speaks to gRPC 1.51; docs/ARCHITECTURE.md says how others fill the same names.
//
// Must not know: the engine.
#ifndef STEER_SHIM_GENERATION_H
#define STEER_SHIM_GENERATION_H

#include <grpc/support/log.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/core/lib/address_utils/sockaddr_utils.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/gprpp/debug_location.h"
#include "src/core/lib/gprpp/ref_counted.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/gprpp/work_serializer.h"
#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/json/json.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/load_balancing/lb_policy_factory.h"
#include "src/core/lib/load_balancing/subchannel_interface.h"
#include "src/core/lib/resolver/server_address.h"
#include "src/core/lib/surface/completion_queue.h"

namespace steer {
namespace shim {

// Names that never moved out of grpc_core.
using ChannelArgs = grpc_core::ChannelArgs;
using GrpcPolicy = grpc_core::LoadBalancingPolicy;
using GrpcConfig = GrpcPolicy::Config;
using GrpcPicker = GrpcPolicy::SubchannelPicker;
using GrpcPolicyFactory = grpc_core::LoadBalancingPolicyFactory;

// --- Registration ---

// Lets a function of ours read CoreConfiguration's private pointer to the built configuration: the
// language allows to name private members in an explicit instantiation.
std::atomic<grpc_core::CoreConfiguration*>* BuiltConfiguration();
template <std::atomic<grpc_core::CoreConfiguration*>* kPointer>
struct Reach {
  friend std::atomic<grpc_core::CoreConfiguration*>* BuiltConfiguration() { return kPointer; }
};
template struct Reach<&grpc_core::CoreConfiguration::config_>;

// Whether gRPC has built its configuration: from then on it aborts when a builder is registered.
inline bool TooLateToRegister() {
  // Linking fails here when the shim was compiled with another NDEBUG setting than gRPC, which
  // would corrupt memory: this function's parameters depend on it.
  static auto* volatile same_ndebug_as_grpc = &grpc_cq_internal_ref;
  return same_ndebug_as_grpc == nullptr || BuiltConfiguration()->load() != nullptr;
}

// Has gRPC call `make_factories` whenever it builds its configuration, on any thread.
inline void RegisterFactories(
    std::function<std::vector<std::unique_ptr<GrpcPolicyFactory>>()> make_factories) {
  grpc_core::CoreConfiguration::RegisterBuilder(
      [make_factories](grpc_core::CoreConfiguration::Builder* builder) {
        for (auto& factory : make_factories()) {
          builder->lb_policy_registry()->RegisterLoadBalancingPolicyFactory(std::move(factory));
        }
      });
}

// --- Configs ---

using ParsedConfig = absl::StatusOr<grpc_core::RefCountedPtr<GrpcConfig>>;

inline std::string JsonText(const grpc_core::Json& json) { return json.Dump(); }

// --- Updates ---

using UpdateResult = absl::Status;
using AddressList = grpc_core::ServerAddressList;
using Address = grpc_core::ServerAddress;

// The addresses of one endpoint, as gRPC writes them: here always one.
inline std::vector<std::string> AddressTexts(const Address& address) {
  auto uri = grpc_sockaddr_to_uri(&address.address());
  return {uri.ok() ? *std::move(uri) : address.ToString()};
}

inline uint32_t AddressWeight(const Address& address) {
  auto* weight = static_cast<const grpc_core::ServerAddressWeightAttribute*>(address.GetAttribute(
      grpc_core::ServerAddressWeightAttribute::kServerAddressWeightAttributeKey));
  return weight == nullptr ? 0 : weight->weight();
}

// The failure of a connection, as this generation's round_robin shows it to users.
inline std::string FailureText(const absl::Status& status) { return status.ToString(); }

// --- Pickers ---

using PickerPtr = std::unique_ptr<GrpcPicker>;

template <typename T, typename... Args>
PickerPtr MakePicker(Args&&... args) {
  return std::make_unique<T>(std::forward<Args>(args)...);
}

// --- The work serializer, timers, the log ---

using SerializerPtr = std::shared_ptr<grpc_core::WorkSerializer>;

// Runs `work` in the work serializer once the caller has returned: a pick holds the channel's lock.
inline void RunLater(const SerializerPtr& serializer, std::function<void()> work) {
  grpc_core::ExecCtx::Run(DEBUG_LOCATION,
                          grpc_core::NewClosure([serializer, work](grpc_error_handle) {
                            serializer->Run(work, DEBUG_LOCATION);
                          }),
                          absl::OkStatus());
}

using EventEngine = grpc_event_engine::experimental::EventEngine;
using TimerHandle = EventEngine::TaskHandle;

// Runs `work` in the work serializer after a while.
inline TimerHandle StartTimer(GrpcPolicy::ChannelControlHelper* helper,
                              const SerializerPtr& serializer, std::chrono::nanoseconds after,
                              std::function<void()> work) {
  return helper->GetEventEngine()->RunAfter(after, [serializer, work] {
    grpc_core::ApplicationCallbackExecCtx callback_exec_ctx;
    grpc_core::ExecCtx exec_ctx;
    serializer->Run(work, DEBUG_LOCATION);
  });
}

inline void CancelTimer(GrpcPolicy::ChannelControlHelper* helper, TimerHandle timer) {
  helper->GetEventEngine()->Cancel(timer);
}

inline void Log(gpr_log_severity severity, const std::string& text) {
  // Until gRPC has been initialised it would log nothing at all.
  gpr_log_verbosity_init();
  gpr_log(__FILE__, __LINE__, severity, "%s", text.c_str());
}

}  // namespace shim
}  // namespace steer

#endif  // STEER_SHIM_GENERATION_H
