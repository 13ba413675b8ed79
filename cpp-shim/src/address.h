// Addresses as gRPC writes them.
//
// Must not depend on: endpoints, the engine.
#ifndef STEER_SHIM_ADDRESS_H
#define STEER_SHIM_ADDRESS_H

#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/core/lib/address_utils/sockaddr_utils.h"

namespace steer::shim {

// Returns for example "ipv4:10.0.0.1:80". Empty: gRPC cannot write this address.
inline std::string TextOf(const grpc_resolved_address& address) {
  sockaddr_in v4;
  if (address.len == sizeof(v4)) {
    std::memcpy(&v4, address.addr, sizeof(v4));
    if (v4.sin_family == AF_INET) {
      // The usual case, without gRPC: gRPC makes a URI and prints it, which takes a third of the
      // time that a new backend costs.
      uint8_t ip[4];
      std::memcpy(ip, &v4.sin_addr, sizeof(ip));
      return absl::StrCat("ipv4:", ip[0], ".", ip[1], ".", ip[2], ".", ip[3], ":",
                          ntohs(v4.sin_port));
    }
  }
  absl::StatusOr<std::string> uri = grpc_sockaddr_to_uri(&address);
  return uri.ok() ? *std::move(uri) : std::string();
}

}  // namespace steer::shim

#endif  // STEER_SHIM_ADDRESS_H
