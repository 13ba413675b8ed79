#include "soak/turn.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <thread>

namespace steer_soak {
namespace {

// The name of a Unix socket that has no file. Only one socket can have it, and the kernel takes it
// away when its process ends.
constexpr char kName[] = "steer_soak";

bool Bind(int fd) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // A name without a file begins with a zero.
  std::memcpy(address.sun_path + 1, kName, sizeof(kName) - 1);
  const socklen_t length = offsetof(sockaddr_un, sun_path) + sizeof(kName);
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

}  // namespace

Turn::Turn() : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  bool said = false;
  while (socket_ >= 0 && !Bind(socket_) && errno == EADDRINUSE) {
    if (!said) std::printf("waits for another soak on this machine to end\n");
    said = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Turn::~Turn() {
  if (socket_ >= 0) close(socket_);
}

}  // namespace steer_soak
