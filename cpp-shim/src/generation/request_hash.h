// The hash that an xDS route gave a call.
//
// Differs between gRPC versions: up to 1.47 an attribute of the call with a name in text; up to
// 1.55 one named by RequestHashAttributeName(); from 1.56 on an attribute object. The hash is text
// up to 1.59 and a number from 1.60 on. The class of a call moved in 1.54.
//
// Must not depend on: the engine, what the hash is for.
#ifndef STEER_SHIM_GENERATION_REQUEST_HASH_H
#define STEER_SHIM_GENERATION_REQUEST_HASH_H

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "base.h"
#include "steer/host.hpp"

#if __has_include("src/core/client_channel/client_channel_internal.h")  // from 1.62
#include "src/core/client_channel/client_channel_internal.h"
#elif __has_include("src/core/ext/filters/client_channel/client_channel_internal.h")  // from 1.54
#include "src/core/ext/filters/client_channel/client_channel_internal.h"
#elif __has_include("src/core/lib/gprpp/no_destruct.h")  // from 1.48
#include "src/core/ext/filters/client_channel/client_channel.h"
#define STEER_GRPC_1_48_TO_1_53 1
#else
#include "src/core/ext/filters/client_channel/lb_policy/ring_hash/ring_hash.h"
#define STEER_GRPC_TO_1_47 1
#endif

namespace grpc_core {
class RequestHashAttribute;  // gRPC has it from 1.56 on.
}

namespace steer::shim {

inline std::optional<uint64_t> HashIn(uint64_t hash) { return hash; }
inline std::optional<uint64_t> HashIn(absl::string_view text) {
  return host::ParseHash({text.data(), text.size()});
}

#ifdef STEER_GRPC_TO_1_47
inline std::optional<uint64_t> RequestHashOf(GrpcPolicy::CallState* call, Fallback) {
  return HashIn(call->ExperimentalGetCallAttribute(grpc_core::kRequestRingHashAttribute));
}
#else
#ifdef STEER_GRPC_1_48_TO_1_53
using ChannelCall = grpc_core::ClientChannel::LoadBalancedCall::LbCallState;
#else
using ChannelCall = grpc_core::ClientChannelLbCallState;
#endif

// gRPC's two functions that name the attribute: from 1.56 on, and before. A library without TLS may
// lack them, so the references are weak. They are declared here a second time because a declaration
// of gRPC's cannot be made weak.
__attribute__((weak)) grpc_core::UniqueTypeName HashAttribute() __asm__(
    "_ZN9grpc_core20RequestHashAttribute8TypeNameEv");
__attribute__((weak)) grpc_core::UniqueTypeName HashAttributeTo155() __asm__(
    "_ZN9grpc_core24RequestHashAttributeNameEv");

// `Call` is a parameter so that compilers check the body only where this overload is taken.
template <typename Attribute = grpc_core::RequestHashAttribute, typename Call = ChannelCall>
auto RequestHashOf(GrpcPolicy::CallState* call, Preferred)
    -> decltype(HashIn(std::declval<Attribute>().request_hash())) {
  if (&HashAttribute == nullptr) return std::nullopt;
  auto* attribute = static_cast<Call*>(call)->GetCallAttribute(HashAttribute());
  if (attribute == nullptr) return std::nullopt;
  return HashIn(static_cast<const Attribute*>(attribute)->request_hash());
}
template <typename Call = ChannelCall>
std::optional<uint64_t> RequestHashOf(GrpcPolicy::CallState* call, Fallback) {
  if (&HashAttributeTo155 == nullptr) return std::nullopt;
  return HashIn(static_cast<Call*>(call)->GetCallAttribute(HashAttributeTo155()));
}
#endif

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_REQUEST_HASH_H
