// A name server on 127.0.0.1, in a thread of the test.
//
// Must not depend on: gRPC, policies.
#ifndef STEER_TESTS_GRPC_SUPPORT_NAME_SERVER_H_
#define STEER_TESTS_GRPC_SUPPORT_NAME_SERVER_H_

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace steer_test {

// Answers every query for IPv4 addresses (A) with the same addresses, whatever the name. Says of
// every other query that there are no such records.
class NameServer {
 public:
  explicit NameServer(std::vector<std::string> addresses);
  ~NameServer();

  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  // "dns://127.0.0.1:<port of this server>/<name>": a target for gRPC's resolver.
  std::string TargetOf(const std::string& name) const;
  // Answers with these from now on.
  void SetAddresses(std::vector<std::string> addresses);
  // How many queries for IPv4 addresses it has answered.
  int queries() const { return queries_; }

 private:
  void Run();
  std::string Answer(const std::string& query);

  int fd_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> addresses_;
  std::atomic<int> queries_{0};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_NAME_SERVER_H_
