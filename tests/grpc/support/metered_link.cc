#include "support/metered_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace steer_test {
namespace {

constexpr size_t kMostAtOnce = 16 * 1024;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Connected(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

// Returns the number of bytes that were forwarded; 0 at the end of either connection.
size_t Forward(int from, int to, size_t most) {
  std::array<char, kMostAtOnce> buffer;
  const ssize_t size = recv(from, buffer.data(), std::min(most, buffer.size()), 0);
  for (ssize_t sent = 0; sent < size;) {
    const auto left = static_cast<size_t>(size - sent);
    const ssize_t now = send(to, buffer.data() + sent, left, MSG_NOSIGNAL);
    if (now <= 0) return 0;
    sent += now;
  }
  return size > 0 ? static_cast<size_t>(size) : 0;
}

}  // namespace

MeteredLink::MeteredLink(int server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::fprintf(stderr, "metered link: cannot listen on 127.0.0.1\n");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  accepts_ = std::thread([this] { Accept(); });
}

MeteredLink::~MeteredLink() {
  shutdown(listener_, SHUT_RDWR);
  accepts_.join();
  close(listener_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  round_began_.notify_all();
  for (Connection& connection : connections_) {
    for (const int fd : {connection.client, connection.server}) shutdown(fd, SHUT_RDWR);
    connection.to_server.join();
    connection.to_client.join();
    for (const int fd : {connection.client, connection.server}) close(fd);
  }
}

void MeteredLink::BeginRound(size_t bytes) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    allowed_at_first_ = bytes;
    for (Connection& connection : connections_) connection.allowed = bytes;
  }
  round_began_.notify_all();
}

bool MeteredLink::AnyIsSpent() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(connections_.begin(), connections_.end(),
                     [](const Connection& connection) { return connection.allowed == 0; });
}

void MeteredLink::Accept() {
  for (int client; (client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    const int server = Connected(server_port_);
    if (server < 0) {
      close(client);
      continue;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.client = client;
    connection.server = server;
    connection.allowed = allowed_at_first_;
    connection.to_server = std::thread([this, &connection] { ForwardMetered(connection); });
    connection.to_client = std::thread([client, server] {
      while (Forward(server, client, kMostAtOnce) > 0) {
      }
      shutdown(client, SHUT_RDWR);
    });
  }
}

void MeteredLink::ForwardMetered(Connection& connection) {
  for (size_t passed = 1; passed > 0;) {
    size_t most;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      round_began_.wait(lock, [&] { return stopped_ || connection.allowed > 0; });
      if (stopped_) break;
      most = connection.allowed;
    }
    passed = Forward(connection.client, connection.server, most);
    const std::lock_guard<std::mutex> lock(mutex_);
    connection.allowed -= std::min(passed, connection.allowed);
  }
  shutdown(connection.server, SHUT_RDWR);
}

}  // namespace steer_test
