// A resolver's update: its addresses, and what it says of each.
//
// Differs between gRPC versions:
//   UpdateLocked's result      up to 1.49 nothing; then a status
//   the addresses              up to 1.60 a container; then an iterator
//   addresses of an endpoint   up to 1.59 one; then several
//   weight                     up to 1.56 an attribute; then a channel arg
//   hash key                   from 1.70 on a channel arg
//   words of failures          1.60: endpoints, without codes; 1.70: the resolution note
//   the channel's target       up to 1.62 a channel arg; then the helper says it
//   channel args in updates    up to 1.48 grpc_channel_args; then ChannelArgs
//   args that policies pass    up to 1.48 none; later some that subchannels do not see
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
#include "locality.h"
#include "steer/host.hpp"

#if __has_include("src/core/load_balancing/ring_hash/ring_hash.h")  // from 1.62
#include "src/core/load_balancing/ring_hash/ring_hash.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy/ring_hash/ring_hash.h"
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

// An order of endpoints, in which equal ones are equivalent.
inline bool IsLess(const Address& a, const Address& b) { return a.Cmp(b) < 0; }

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

// The xDS cluster whose addresses these are. gRPC's policy for clusters tells those below it.
inline std::string ClusterOf(const ChannelArgs& args) {
  // GRPC_ARG_XDS_CLUSTER_NAME, whose header moved in 1.62.
  return std::string(args.GetString("grpc.internal.xds_cluster_name").value_or(""));
}

// Channel args as C++'s type and as C's.
inline const ChannelArgs& ArgsOf(const ChannelArgs& args) { return args; }
inline ChannelArgs ArgsOf(const grpc_channel_args* args) { return ChannelArgs::FromC(args); }
inline const grpc_channel_args* CArgsOf(const grpc_channel_args* args) { return args; }
template <typename Args>
auto CArgsOf(const Args& args) {
  return args.ToC();
}

// The channel args that subchannels see. From 1.57 on, gRPC drops the others before it makes a
// subchannel. From 1.63 on, one of those is the xDS configuration: another object after each change
// anywhere in it. Endpoints that were compared by it would never be kept.
inline ChannelArgs SeenBySubchannels(ChannelArgs args) {
#ifdef GRPC_ARG_NO_SUBCHANNEL_PREFIX
  const auto c_args = args.ToC();
  for (size_t i = 0; i < c_args->num_args; ++i) {
    const char* const key = c_args->args[i].key;
    if (absl::StartsWith(key, GRPC_ARG_NO_SUBCHANNEL_PREFIX)) args = args.Remove(key);
  }
#endif
  return args;
}

// How gRPC's own policies word failures: steer_host.words.
#ifdef GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY  // from 1.70, as is the resolution note in brackets
constexpr uint64_t kWords = STEER_HOST_WORDS_ENDPOINTS | STEER_HOST_WORDS_NOTE_IN_BRACKETS;
#elif defined(STEER_CHILD_ENDPOINTS)
constexpr uint64_t kWords = STEER_HOST_WORDS_ENDPOINTS;
#else
constexpr uint64_t kWords = 0;
#endif

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

// Adds the weight.
inline void DescribeWeight(const Address& address, host::EndpointDescriptor* endpoint) {
#ifdef GRPC_ARG_ADDRESS_WEIGHT  // from 1.57
  endpoint->weight =
      static_cast<uint32_t>(address.args().GetInt(GRPC_ARG_ADDRESS_WEIGHT).value_or(0));
#else
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
  DescribeWeight(address, &endpoint);
  DescribeLocality(address, &endpoint);
#ifdef GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY  // from 1.70
  endpoint.hash_key =
      std::string(address.args().GetString(GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY).value_or(""));
#endif
  DescribeAttributes(address, &endpoint);
  return endpoint;
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_UPDATE_H
