// Configs: gRPC's JSON, and the factory that parses it.
//
// Differs between gRPC versions: up to 1.48 a parser returns its error through a parameter. Up to
// 1.55 Json has constructors and Dump() instead of From...() and JsonDump().
//
// Must not depend on: the engine, what a config says.
#ifndef STEER_SHIM_GENERATION_CONFIG_H
#define STEER_SHIM_GENERATION_CONFIG_H

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base.h"

#if __has_include("src/core/util/json/json_writer.h")  // from 1.65
#include "src/core/util/json/json_writer.h"
#elif __has_include("src/core/lib/json/json_writer.h")  // from 1.55
#include "src/core/lib/json/json_writer.h"
#endif

namespace steer::shim {

// {"<name>":<value>}
template <typename Json>
auto ObjectOf(const char* name, Json value, Preferred)
    -> decltype(Json::FromObject({{name, value}})) {
  return Json::FromObject({{name, std::move(value)}});
}
template <typename Json>
Json ObjectOf(const char* name, Json value, Fallback) {
  return Json(typename Json::Object{{name, std::move(value)}});
}

// [<value>]
template <typename Json>
auto ArrayOf(Json value, Preferred) -> decltype(Json::FromArray({value})) {
  return Json::FromArray({std::move(value)});
}
template <typename Json>
Json ArrayOf(Json value, Fallback) {
  return Json(typename Json::Array{std::move(value)});
}

// {"<field>":null}
inline grpc_core::Json ConfigOf(const char* field) {
  return ObjectOf(field, grpc_core::Json(), Preferred());
}

template <typename Json>
auto JsonText(const Json& json, Preferred) -> decltype(json.Dump()) {
  return json.Dump();
}
template <typename Json>
std::string JsonText(const Json& json, Fallback) {
  // With grpc_core::JsonDump this body would not compile where gRPC does not declare it.
  using namespace grpc_core;  // NOLINT
  return JsonDump(json);
}

using ParsedConfig = absl::StatusOr<grpc_core::RefCountedPtr<GrpcConfig>>;

// The base class of the shim's factories.
#ifdef STEER_GRPC_TO_1_48
class GrpcPolicyFactory : public grpc_core::LoadBalancingPolicyFactory {
 public:
  virtual ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const = 0;
  grpc_core::RefCountedPtr<GrpcConfig> ParseLoadBalancingConfig(
      const grpc_core::Json& json, grpc_error_handle* error) const final {
    ParsedConfig config = ParseLoadBalancingConfig(json);
    if (config.ok()) return *std::move(config);
    *error = GRPC_ERROR_CREATE_FROM_CPP_STRING(std::string(config.status().message()));
    return nullptr;
  }
};
#else
using GrpcPolicyFactory = grpc_core::LoadBalancingPolicyFactory;
#endif

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_CONFIG_H
