// Answers DNS queries (RFC 1035) over UDP.
#include "support/name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace steer_test {
namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kLargestMessage = 512;
constexpr char kTypeA = 1;

// The end of the name that begins behind the header, or npos.
size_t EndOfName(const std::string& query) {
  size_t at = kHeaderSize;
  while (at < query.size() && query[at] != 0) at += static_cast<unsigned char>(query[at]) + 1;
  return at < query.size() ? at + 1 : std::string::npos;
}

}  // namespace

NameServer::NameServer(std::vector<std::string> addresses)
    : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), addresses_(std::move(addresses)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  // Run looks this often whether it is to stop.
  const timeval timeout = {0, 50'000};
  if (fd_ < 0 || setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
      bind(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::fprintf(stderr, "name server: cannot bind a port of 127.0.0.1\n");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

NameServer::~NameServer() {
  stopped_ = true;
  thread_.join();
  close(fd_);
}

std::string NameServer::TargetOf(const std::string& name) const {
  return "dns://127.0.0.1:" + std::to_string(port_) + "/" + name;
}

void NameServer::SetAddresses(std::vector<std::string> addresses) {
  const std::lock_guard<std::mutex> lock(mutex_);
  addresses_ = std::move(addresses);
}

void NameServer::Run() {
  while (!stopped_) {
    char buffer[kLargestMessage];
    sockaddr_in from = {};
    socklen_t length = sizeof(from);
    const ssize_t size =
        recvfrom(fd_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size <= 0) continue;
    const std::string answer = Answer(std::string(buffer, static_cast<size_t>(size)));
    sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
  }
}

std::string NameServer::Answer(const std::string& query) {
  const size_t end = EndOfName(query);
  if (end == std::string::npos || end + 4 > query.size()) return "";
  // The header of the query, and its question: type and class follow the name.
  std::string answer = query.substr(0, end + 4);
  // An answer, recursion available, no error. One question, no further records yet.
  answer.replace(2, kHeaderSize - 2, std::string("\x81\x80\0\1\0\0\0\0\0\0", 10));
  if (query[end] != 0 || query[end + 1] != kTypeA) return answer;
  ++queries_;
  const std::lock_guard<std::mutex> lock(mutex_);
  answer[7] = static_cast<char>(addresses_.size());
  for (const std::string& text : addresses_) {
    // The name at offset 12, type A, class IN, valid for 0 s, 4 bytes.
    answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\0\0\4", 12);
    in_addr address = {};
    inet_pton(AF_INET, text.c_str(), &address);
    answer.append(reinterpret_cast<const char*>(&address), sizeof(address));
  }
  return answer;
}

}  // namespace steer_test
