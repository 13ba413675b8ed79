// Compares addresses as the shim writes them with gRPC's own text.
#include "address.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "absl/status/statusor.h"

namespace steer::shim {
namespace {

template <typename Socket>
grpc_resolved_address Resolved(const Socket& socket) {
  grpc_resolved_address address = {};
  std::memcpy(address.addr, &socket, sizeof(socket));
  address.len = sizeof(socket);
  return address;
}

grpc_resolved_address V4(uint32_t ip, uint16_t port) {
  sockaddr_in socket = {};
  socket.sin_family = AF_INET;
  socket.sin_addr.s_addr = htonl(ip);
  socket.sin_port = htons(port);
  return Resolved(socket);
}

grpc_resolved_address V6(const uint8_t (&ip)[16], uint16_t port, uint32_t scope) {
  sockaddr_in6 socket = {};
  socket.sin6_family = AF_INET6;
  std::memcpy(&socket.sin6_addr, ip, sizeof(ip));
  socket.sin6_port = htons(port);
  socket.sin6_scope_id = scope;
  return Resolved(socket);
}

std::string GrpcTextOf(const grpc_resolved_address& address) {
  const absl::StatusOr<std::string> text = grpc_sockaddr_to_uri(&address);
  return text.ok() ? *text : "";
}

TEST(AddressTest, V4IsWrittenAsGrpcWritesIt) {
  EXPECT_EQ(TextOf(V4(0x7f000001, 50051)), "ipv4:127.0.0.1:50051");
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    const auto address = V4(static_cast<uint32_t>(random()), static_cast<uint16_t>(random()));
    ASSERT_EQ(TextOf(address), GrpcTextOf(address));
  }
  for (const auto& address : {V4(0, 0), V4(0xffffffff, 0xffff)})
    EXPECT_EQ(TextOf(address), GrpcTextOf(address));
}

TEST(AddressTest, OthersAreWrittenByGrpc) {
  const auto v6 = V6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 443, 0);
  const auto scoped = V6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 80, 1);
  for (const auto& address : {v6, scoped}) {
    EXPECT_EQ(TextOf(address), GrpcTextOf(address));
    EXPECT_EQ(TextOf(address).substr(0, 5), "ipv6:");
  }
  // A mapped one is the one that it stands for.
  EXPECT_EQ(TextOf(V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3}, 80, 0)),
            "ipv4:10.1.2.3:80");
  sockaddr_un socket = {};
  socket.sun_family = AF_UNIX;
  std::strcpy(socket.sun_path, "/tmp/socket");
  EXPECT_EQ(TextOf(Resolved(socket)), "unix:/tmp/socket");
}

TEST(AddressTest, WhatGrpcCannotWriteIsEmpty) {
  sockaddr_in socket = {};
  socket.sin_family = 0x7fff;
  EXPECT_EQ(TextOf(Resolved(socket)), "");
}

}  // namespace
}  // namespace steer::shim
