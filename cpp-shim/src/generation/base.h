// gRPC's classes under one name each, for the shim and for the other files of this folder.
//
// Differs between gRPC versions: where the headers lie, the type of names (up to 1.48), and the
// endpoint mode. From 1.60 on an endpoint is a pick_first child (child mode, which this file
// announces as STEER_CHILD_ENDPOINTS). Before that it is a subchannel (subchannel mode).
//
// This folder holds everything that differs between gRPC 1.46 and 1.85, as named types and
// functions; no other file of the shim has an #if on a gRPC version. gRPC's own headers choose: by
// their paths, and by their declarations. Where a function is there twice, gRPC has the method that
// the one calls or the method that the other calls. docs/grpc-versions.md says how to add a gRPC
// version.
//
// Must not depend on: the engine, the rest of the shim.
#ifndef STEER_SHIM_GENERATION_BASE_H
#define STEER_SHIM_GENERATION_BASE_H

#include <memory>
#include <string>
#include <utility>

#include "src/core/lib/channel/channel_args.h"

#if __has_include("src/core/config/core_configuration.h")  // from 1.69
#include "src/core/config/core_configuration.h"
#else
#include "src/core/lib/config/core_configuration.h"
#endif
#if __has_include("src/core/load_balancing/lb_policy_registry.h")  // from 1.62
#include "src/core/load_balancing/lb_policy_registry.h"
#elif __has_include("src/core/lib/load_balancing/lb_policy_registry.h")  // from 1.49
#include "src/core/lib/load_balancing/lb_policy_registry.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy_registry.h"
#define STEER_GRPC_TO_1_48 1
#endif
#if __has_include("src/core/load_balancing/delegating_helper.h")  // from 1.62
#define STEER_CHILD_ENDPOINTS 1
#elif __has_include("src/core/lib/resolver/endpoint_addresses.h")  // from 1.60
#define STEER_CHILD_ENDPOINTS 1
#endif

namespace steer::shim {

// These names never moved out of grpc_core.
using ChannelArgs = grpc_core::ChannelArgs;
using Configuration = grpc_core::CoreConfiguration;
using GrpcPolicy = grpc_core::LoadBalancingPolicy;
using GrpcConfig = GrpcPolicy::Config;
using GrpcHelper = GrpcPolicy::ChannelControlHelper;
using GrpcPicker = GrpcPolicy::SubchannelPicker;
using PickResult = GrpcPolicy::PickResult;
using Subchannel = grpc_core::SubchannelInterface;
using SerializerPtr = std::shared_ptr<grpc_core::WorkSerializer>;

// Address: what a resolver says of one endpoint. Connection: what a READY endpoint gives to
// pickers.
#ifdef STEER_CHILD_ENDPOINTS
using Address = grpc_core::EndpointAddresses;
using Connection = GrpcPicker;
#else
using Address = grpc_core::ServerAddress;
using Connection = Subchannel;
#endif

// Selects the first of two overloads where both would compile: callers pass Preferred().
struct Fallback {};
struct Preferred : Fallback {};

// What policies, configs and factories return as their name: a view. Up to 1.48, a C string.
using Name = decltype(std::declval<GrpcPolicy&>().name());
// The result may be a view: the caller guarantees that `name` lives as long. The shim passes
// members of the object whose name it is.
inline Name NameOf(const std::string& name) { return Name(name.c_str()); }

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_BASE_H
