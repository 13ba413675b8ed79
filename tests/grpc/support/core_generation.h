// What differs between gRPC versions in the parts of gRPC's core that the tests use, as named types
// and functions. gRPC's headers decide. All other test files that use gRPC's core
// (resolver_feed.cc, the differential test's fake channel, the benchmark) include its headers
// through this file.
//
// Must not depend on: Steer, the tests.
#ifndef STEER_TESTS_GRPC_SUPPORT_CORE_GENERATION_H_
#define STEER_TESTS_GRPC_SUPPORT_CORE_GENERATION_H_

#include <arpa/inet.h>
#include <grpc/grpc.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Three generations, told apart by where the load-balancing headers are:
//   1, gRPC up to 1.48: one static registry, channel args as a C struct, subchannels without status
//   2, gRPC 1.49 to 1.59: everything in CoreConfiguration, round_robin makes subchannels
//   3, gRPC from 1.62: endpoints, round_robin makes a pick_first child of each
// (1.60 and 1.61 are between the last two; no test runs with them.)
#if __has_include("src/core/load_balancing/lb_policy.h")
#define STEER_TEST_GENERATION 3
#include "src/core/call/status_util.h"
#include "src/core/config/core_configuration.h"
#include "src/core/credentials/transport/transport_credentials.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/iomgr/resolved_address.h"
#include "src/core/load_balancing/health_check_client_internal.h"
#include "src/core/load_balancing/lb_policy.h"
#include "src/core/load_balancing/lb_policy_registry.h"
#include "src/core/load_balancing/ring_hash/ring_hash.h"
#include "src/core/load_balancing/subchannel_interface.h"
#include "src/core/resolver/endpoint_addresses.h"
#include "src/core/resolver/resolver.h"
#include "src/core/resolver/resolver_factory.h"
#include "src/core/service_config/service_config_impl.h"
#include "src/core/util/debug_location.h"
#include "src/core/util/json/json_reader.h"
#include "src/core/util/orphanable.h"
#include "src/core/util/ref_counted_ptr.h"
#include "src/core/util/sync.h"
#include "src/core/util/work_serializer.h"
#include "src/core/xds/xds_client/xds_locality.h"
#else
#include "absl/types/variant.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/channel/status_util.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/gprpp/debug_location.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/gprpp/sync.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/iomgr/resolved_address.h"
#include "src/core/lib/resolver/resolver.h"
#include "src/core/lib/resolver/resolver_factory.h"
#include "src/core/lib/resolver/server_address.h"
#include "src/core/lib/service_config/service_config_impl.h"
#if __has_include("src/core/ext/filters/client_channel/lb_policy.h")
#define STEER_TEST_GENERATION 1
#include "src/core/ext/filters/client_channel/lb_policy.h"
#include "src/core/ext/filters/client_channel/lb_policy_registry.h"
#include "src/core/ext/filters/client_channel/subchannel_interface.h"
#include "src/core/lib/iomgr/work_serializer.h"
#include "src/core/lib/json/json.h"
#else
#define STEER_TEST_GENERATION 2
#include "src/core/lib/event_engine/default_event_engine.h"
#include "src/core/lib/gprpp/work_serializer.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/load_balancing/lb_policy_registry.h"
#include "src/core/lib/load_balancing/subchannel_interface.h"
#if __has_include("src/core/lib/json/json_reader.h")
#include "src/core/lib/json/json_reader.h"
#else
#include "src/core/lib/json/json.h"
#endif
#endif
#endif

namespace steer_testing {

// --- Addresses and channel args ---

#if STEER_TEST_GENERATION == 3
using Address = grpc_core::EndpointAddresses;
using AddressList = grpc_core::EndpointAddressesList;
#else
using Address = grpc_core::ServerAddress;
using AddressList = grpc_core::ServerAddressList;
#endif

// `host` 1 is 127.0.0.2, and so on: all of them are this machine.
inline grpc_resolved_address Loopback(uint16_t port, uint32_t host = 0) {
  sockaddr_in ipv4;
  std::memset(&ipv4, 0, sizeof(ipv4));
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  ipv4.sin_port = htons(port);
  grpc_resolved_address address;
  std::memset(&address, 0, sizeof(address));
  std::memcpy(address.addr, &ipv4, sizeof(ipv4));
  address.len = sizeof(ipv4);
  return address;
}

inline uint16_t PortOf(const grpc_resolved_address& address) {
  sockaddr_in ipv4;
  std::memcpy(&ipv4, address.addr, sizeof(ipv4));
  return ntohs(ipv4.sin_port);
}

inline uint32_t LoopbackHostOf(const grpc_resolved_address& address) {
  sockaddr_in ipv4;
  std::memcpy(&ipv4, address.addr, sizeof(ipv4));
  return ntohl(ipv4.sin_addr.s_addr) - INADDR_LOOPBACK;
}

// An address of this machine. `weight` is a resolver's attribute for policies; 0: none.
inline Address MakeAddress(uint16_t port, grpc_core::ChannelArgs args = grpc_core::ChannelArgs(),
                           uint32_t weight = 0, uint32_t host = 0) {
#if STEER_TEST_GENERATION == 3
  if (weight != 0) args = args.Set(GRPC_ARG_ADDRESS_WEIGHT, static_cast<int>(weight));
  return Address(Loopback(port, host), args);
#else
  std::map<const char*, std::unique_ptr<Address::AttributeInterface>> attributes;
  if (weight != 0) {
    using Weight = grpc_core::ServerAddressWeightAttribute;
    attributes.emplace(Weight::kServerAddressWeightAttributeKey, std::make_unique<Weight>(weight));
  }
#if STEER_TEST_GENERATION == 1
  return Address(Loopback(port, host), const_cast<grpc_channel_args*>(args.ToC()),
                 std::move(attributes));
#else
  return Address(Loopback(port, host), args, std::move(attributes));
#endif
#endif
}

// Adds the text that consistent hashing should hash to the args of an address. Adds nothing where
// gRPC has no such arg.
inline grpc_core::ChannelArgs WithHashKey(const grpc_core::ChannelArgs& args,
                                          [[maybe_unused]] const std::string& key) {
#ifdef GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY
  return args.Set(GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY, key);
#else
  return args;
#endif
}

// Adds the address's locality as xDS does. Adds nothing before the last generation.
inline grpc_core::ChannelArgs WithLocality(const grpc_core::ChannelArgs& args,
                                           [[maybe_unused]] const std::string& region,
                                           [[maybe_unused]] const std::string& zone,
                                           [[maybe_unused]] const std::string& sub_zone) {
#if STEER_TEST_GENERATION == 3
  return args.SetObject(
      grpc_core::MakeRefCounted<grpc_core::XdsLocalityName>(region, zone, sub_zone));
#else
  return args;
#endif
}

// The type of channel args in results and updates.
#if STEER_TEST_GENERATION == 1
using CarriedArgs = const grpc_channel_args*;
inline CarriedArgs ToCarried(const grpc_core::ChannelArgs& args) { return args.ToC(); }
inline grpc_core::ChannelArgs FromCarried(CarriedArgs args) {
  return grpc_core::ChannelArgs::FromC(args);
}
#else
using CarriedArgs = grpc_core::ChannelArgs;
inline CarriedArgs ToCarried(const grpc_core::ChannelArgs& args) { return args; }
inline grpc_core::ChannelArgs FromCarried(const CarriedArgs& args) { return args; }
#endif

// --- Resolvers ---

inline absl::StatusOr<grpc_core::RefCountedPtr<grpc_core::ServiceConfig>> ParseServiceConfig(
    const grpc_core::ChannelArgs& args, const std::string& text) {
#if STEER_TEST_GENERATION == 1
  const grpc_channel_args* c_args = args.ToC();
  grpc_error_handle error = GRPC_ERROR_NONE;
  auto config = grpc_core::ServiceConfigImpl::Create(c_args, text, &error);
  grpc_channel_args_destroy(c_args);
  if (error == GRPC_ERROR_NONE) return config;
  absl::Status status = absl::InvalidArgumentError(grpc_error_std_string(error));
  GRPC_ERROR_UNREF(error);
  return status;
#else
  return grpc_core::ServiceConfigImpl::Create(args, text);
#endif
}

// Hands a result to the channel, and calls `taken` with whether the policy accepted it.
template <typename Callback>
void ReportResult(grpc_core::Resolver::ResultHandler* handler, grpc_core::Resolver::Result result,
                  Callback taken) {
#if STEER_TEST_GENERATION == 1
  // The channel takes the result before this returns, and policies cannot refuse it.
  handler->ReportResult(std::move(result));
  taken(absl::OkStatus());
#else
  result.result_health_callback = std::move(taken);
  handler->ReportResult(std::move(result));
#endif
}

template <typename MakeFactory>
void RegisterResolverFactory(MakeFactory make_factory) {
  const auto builder = [make_factory](grpc_core::CoreConfiguration::Builder* builder) {
    builder->resolver_registry()->RegisterResolverFactory(make_factory());
  };
#if STEER_TEST_GENERATION == 3
  grpc_core::CoreConfiguration::RegisterPersistentBuilder(builder);
#else
  grpc_core::CoreConfiguration::RegisterBuilder(builder);
#endif
}

// --- Picks ---

// The T in a variant, or null. gRPC's variants were absl's, which are not std's in every build.
template <typename T, typename Variant>
const T* AlternativeOf(const Variant& variant) {
#if STEER_TEST_GENERATION == 3
  return std::get_if<T>(&variant);
#else
  return absl::get_if<T>(&variant);
#endif
}

// The status that a channel gives to a call whose pick failed (gRFC A54). Channels of the first
// generation do not change the status. This changes it anyway, so that the policies' results
// compare equal in all generations.
inline absl::Status StatusOfFailedPick(const absl::Status& status, const char* source) {
#if STEER_TEST_GENERATION == 1
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
      return absl::InternalError(absl::StrCat("Illegal status code from ", source,
                                              "; original status: ", status.ToString()));
    default:
      return status;
  }
#else
  return grpc_core::MaybeRewriteIllegalStatusCode(status, source);
#endif
}

// A test's thread must hold one while it gives work to a work serializer, which up to 1.70 runs the
// work at once.
struct CallbackScope {
#if STEER_TEST_GENERATION != 3
  grpc_core::ApplicationCallbackExecCtx callback_exec_ctx;
#endif
  grpc_core::ExecCtx exec_ctx;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_SUPPORT_CORE_GENERATION_H_
