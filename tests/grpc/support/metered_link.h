// A TCP link to a server on which each connection carries only so many bytes a round, as networks
// that limit each flow do. The test says when a round begins, so no time is measured.
//
// Must not depend on: gRPC, policies.
#ifndef STEER_TESTS_GRPC_SUPPORT_METERED_LINK_H_
#define STEER_TESTS_GRPC_SUPPORT_METERED_LINK_H_

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <thread>

namespace steer_test {

// Forwards each connection to its own port to a connection to the server. Bytes from the server are
// not counted. Without a round, any number of bytes pass.
class MeteredLink {
 public:
  explicit MeteredLink(int server_port);
  ~MeteredLink();

  MeteredLink(const MeteredLink&) = delete;
  MeteredLink& operator=(const MeteredLink&) = delete;

  int port() const { return port_; }
  // From now on each connection passes this many bytes to the server, and then no more until the
  // next round.
  void BeginRound(size_t bytes);
  // Whether a connection has passed all that it may in this round.
  bool AnyIsSpent();

 private:
  struct Connection {
    int client;
    int server;
    std::thread to_server;
    std::thread to_client;
    // Guarded by `mutex_`.
    size_t allowed;
  };

  void Accept();
  void ForwardMetered(Connection& connection);

  const int server_port_;
  int listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable round_began_;
  // The following are guarded by `mutex_`.
  bool stopped_ = false;
  size_t allowed_at_first_ = static_cast<size_t>(-1);
  std::list<Connection> connections_;

  std::thread accepts_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_METERED_LINK_H_
