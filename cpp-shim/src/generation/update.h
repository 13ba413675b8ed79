// A resolver's update: its addresses, and what it says of each.
//
// Differs between gRPC versions:
//   UpdateLocked's result      up to 1.49 nothing; then a status
//   the addresses              up to 1.60 a container; then an iterator
//   addresses of an endpoint   up to 1.59 one; then several
//   weight                     up to 1.56 an attribute; then a channel arg
//   xDS locality               up to 1.56 not read (see Describe); then a channel arg
//   hash key                   from 1.70 on a channel arg
//   the channel's target       up to 1.62 a channel arg; then the helper says it
//   channel args in updates    up to 1.48 grpc_channel_args; then ChannelArgs
//
// Must not depend on: the engine's decisions, how endpoints are made.
#ifndef STEER_SHIM_GENERATION_UPDATE_H
#define STEER_SHIM_GENERATION_UPDATE_H

#include <grpc/grpc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "../address.h"
#include "absl/strings/match.h"
#include "base.h"
#include "steer/host.hpp"

#if __has_include("src/core/load_balancing/ring_hash/ring_hash.h")  // from 1.62
#include "src/core/load_balancing/ring_hash/ring_hash.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy/ring_hash/ring_hash.h"
#endif
#if __has_include("src/core/xds/xds_client/xds_locality.h")  // from 1.68
#include "src/core/xds/xds_client/xds_locality.h"
#elif __has_include("src/core/xds/xds_client/xds_client_stats.h")  // from 1.64
#include "src/core/xds/xds_client/xds_client_stats.h"
#else
#include "src/core/ext/xds/xds_client_stats.h"
#endif

namespace steer::shim {

// What UpdateLocked returns: void up to 1.49, absl::Status from 1.50 on.
using UpdateResult =
    decltype(std::declval<GrpcPolicy&>().UpdateLocked(std::declval<GrpcPolicy::UpdateArgs>()));

// Calls `visit` with each address of an update, in order.
template <typename Container, typename Visit>
void ForEachAddress(const Container& container, const Visit& visit) {
  for (const Address& address : container) visit(address);
}
// From 1.61 on.
template <typename Iterator, typename Visit>
void ForEachAddress(const std::shared_ptr<Iterator>& iterator, const Visit& visit) {
  // gRPC's own policies take no iterator for an empty one.
  if (iterator != nullptr) iterator->ForEach(visit);
}

// The bytes of an endpoint's first address, which hardly any two endpoints share. A view into
// `address`.
inline std::string_view KeyOf(const Address& address) {
  return {address.address().addr, address.address().len};
}

// The channel's target.
template <typename Helper>
auto TargetOf(Helper* helper, const ChannelArgs&, Preferred)
    -> decltype(std::string(helper->GetTarget())) {
  return std::string(helper->GetTarget());
}
template <typename Args>
std::string TargetOf(GrpcHelper*, const Args& args, Fallback) {
  return std::string(args.GetString("grpc.server_uri").value_or(""));
}

// Channel args as C++'s type and as C's.
inline const ChannelArgs& ArgsOf(const ChannelArgs& args) { return args; }
inline ChannelArgs ArgsOf(const grpc_channel_args* args) { return ChannelArgs::FromC(args); }
inline const grpc_channel_args* CArgsOf(const grpc_channel_args* args) { return args; }
template <typename Args>
auto CArgsOf(const Args& args) {
  return args.ToC();
}

// Adds the texts of an endpoint's addresses.
inline void DescribeAddresses(const Address& address, host::EndpointDescriptor* endpoint) {
#ifdef STEER_CHILD_ENDPOINTS
  const auto& addresses = address.addresses();
#else
  const grpc_resolved_address addresses[] = {address.address()};
#endif
  for (const grpc_resolved_address& one : addresses) {
    std::string text = TextOf(one);
    endpoint->addresses.push_back(text.empty() ? address.ToString() : std::move(text));
  }
}

// Adds weight and locality.
inline void DescribeWeightAndLocality(const Address& address, host::EndpointDescriptor* endpoint) {
#ifdef GRPC_ARG_ADDRESS_WEIGHT  // from 1.57
  const ChannelArgs& args = address.args();
  endpoint->weight = static_cast<uint32_t>(args.GetInt(GRPC_ARG_ADDRESS_WEIGHT).value_or(0));
  if (const auto* locality = args.GetObject<grpc_core::XdsLocalityName>()) {
    endpoint->region = std::string(locality->region());
    endpoint->zone = std::string(locality->zone());
    endpoint->sub_zone = std::string(locality->sub_zone());
  }
#else
  // The locality is an attribute, too, but libgrpc_unsecure lacks the symbol of its key.
  using Weight = grpc_core::ServerAddressWeightAttribute;
  auto* weight =
      static_cast<const Weight*>(address.GetAttribute(Weight::kServerAddressWeightAttributeKey));
  if (weight != nullptr) endpoint->weight = weight->weight();
#endif
}

// Adds the strings and integers among an address's channel args. Those whose key begins with
// "grpc.internal." mean something to gRPC alone.
inline void DescribeAttributes(const Address& address, host::EndpointDescriptor* endpoint) {
  const auto c_args = CArgsOf(address.args());
  for (size_t i = 0; c_args != nullptr && i < c_args->num_args; ++i) {
    const grpc_arg& arg = c_args->args[i];
    if (absl::StartsWith(arg.key, "grpc.internal.")) continue;
    if (arg.type == GRPC_ARG_STRING) {
      endpoint->attributes.push_back({arg.key, STEER_ATTRIBUTE_TEXT, arg.value.string, 0});
    } else if (arg.type == GRPC_ARG_INTEGER) {
      endpoint->attributes.push_back({arg.key, STEER_ATTRIBUTE_INTEGER, "", arg.value.integer});
    }
  }
}

// All that the resolver says of one endpoint.
inline host::EndpointDescriptor Describe(const Address& address) {
  host::EndpointDescriptor endpoint;
  DescribeAddresses(address, &endpoint);
  DescribeWeightAndLocality(address, &endpoint);
#ifdef GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY  // from 1.70
  endpoint.hash_key =
      std::string(address.args().GetString(GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY).value_or(""));
#endif
  DescribeAttributes(address, &endpoint);
  return endpoint;
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_UPDATE_H
