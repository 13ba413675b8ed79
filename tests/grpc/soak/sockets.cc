#include "soak/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace steer_soak {
namespace {

std::vector<int> FileDescriptors() {
  std::vector<int> fds;
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) {
    // An empty list would say that there are no connections.
    std::perror("soak: /proc/self/fd");
    std::abort();
  }
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') fds.push_back(std::atoi(entry->d_name));
  }
  closedir(directory);
  return fds;
}

// 0: the socket has no port.
int PortOf(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  if (name(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  // gRPC uses IPv6 sockets for IPv4 addresses.
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return 0;
}

}  // namespace

void BreakLocalPort(int port) {
  // Twice, because a connection may be accepted before the first pass reaches the listener.
  for (int pass = 0; pass < 2; ++pass) {
    for (const int fd : FileDescriptors()) {
      if (PortOf(fd, getsockname) != port) continue;
      // The owner may close the descriptor at any time, and its number may then name another
      // socket. The duplicate stays the same socket until it is closed below.
      const int same = fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (same < 0) continue;
      if (PortOf(same, getsockname) == port) shutdown(same, SHUT_RDWR);
      close(same);
    }
  }
}

int CountConnectionsTo(const std::vector<int>& ports) {
  int count = 0;
  for (const int fd : FileDescriptors()) {
    const int port = PortOf(fd, getpeername);
    if (port != 0 && std::find(ports.begin(), ports.end(), port) != ports.end()) ++count;
  }
  return count;
}

}  // namespace steer_soak
