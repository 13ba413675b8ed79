// What EDS says of an endpoint besides its address and weight: its locality, and that one's weight.
//
// Differs between gRPC versions: up to 1.56 the locality is an attribute of the address, whose key
// a library without xDS lacks; it has a weight from 1.51 on. From 1.57 on both are channel args.
// The headers moved in 1.51, 1.64 and 1.68.
//
// Must not depend on: the engine's decisions, how endpoints are made.
#ifndef STEER_SHIM_GENERATION_LOCALITY_H
#define STEER_SHIM_GENERATION_LOCALITY_H

#include <cstdint>
#include <string>

#include "base.h"
#include "steer/host.hpp"

#if __has_include("src/core/xds/xds_client/xds_locality.h")  // from 1.68
#include "src/core/xds/xds_client/xds_locality.h"
#elif __has_include("src/core/xds/xds_client/xds_client_stats.h")  // from 1.64
#include "src/core/xds/xds_client/xds_client_stats.h"
// From 1.51 to 1.56.
#elif __has_include("src/core/ext/filters/client_channel/lb_policy/xds/xds_attributes.h")
#include "src/core/ext/filters/client_channel/lb_policy/xds/xds_attributes.h"
#elif __has_include("src/core/ext/filters/client_channel/lb_policy/xds/xds.h")  // up to 1.50
#include "src/core/ext/filters/client_channel/lb_policy/xds/xds.h"
#else
#include "src/core/ext/xds/xds_client_stats.h"
#endif

namespace steer::shim {

// The name of the attribute that custom policies see.
inline constexpr char kLocalityWeight[] = "xds_locality_weight";

template <typename LocalityName>
void TakeLocality(const LocalityName& name, int weight, host::EndpointDescriptor* endpoint) {
  endpoint->region = std::string(name.region());
  endpoint->zone = std::string(name.zone());
  endpoint->sub_zone = std::string(name.sub_zone());
  if (weight > 0) {
    endpoint->attributes.push_back({kLocalityWeight, STEER_ATTRIBUTE_INTEGER, "", weight});
  }
}

#ifdef GRPC_ARG_ADDRESS_WEIGHT  // from 1.57
inline void DescribeLocality(const Address& address, host::EndpointDescriptor* endpoint) {
  const auto* name = address.args().GetObject<grpc_core::XdsLocalityName>();
  if (name == nullptr) return;
  // GRPC_ARG_XDS_LOCALITY_WEIGHT, whose header is internal to gRPC's xDS policies.
  constexpr char kWeight[] = GRPC_ARG_NO_SUBCHANNEL_PREFIX "xds_locality_weight";
  TakeLocality(*name, address.args().GetInt(kWeight).value_or(0), endpoint);
}
#else
template <typename Attribute>
auto WeightOf(const Attribute& attribute, Preferred) -> decltype(attribute.weight()) {
  return attribute.weight();
}
template <typename Attribute>
uint32_t WeightOf(const Attribute&, Fallback) {
  return 0;
}

// gRPC's variable with the attribute's key. The reference is weak, because the library without TLS
// lacks it. It is declared here a second time because a declaration of gRPC's cannot be made weak.
__attribute__((weak)) extern const char* const LocalityKey __asm__(
    "_ZN9grpc_core28kXdsLocalityNameAttributeKeyE");

inline void DescribeLocality(const Address& address, host::EndpointDescriptor* endpoint) {
  if (&LocalityKey == nullptr) return;
  auto* attribute =
      static_cast<const grpc_core::XdsLocalityAttribute*>(address.GetAttribute(LocalityKey));
  if (attribute == nullptr) return;
  const uint32_t weight = WeightOf(*attribute, Preferred());
  TakeLocality(*attribute->locality_name(), static_cast<int>(weight), endpoint);
}
#endif

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_LOCALITY_H
