// Server processes that a test starts, controls and ends.
//
// Must not depend on: policies.
#ifndef STEER_TESTS_GRPC_SUPPORT_BACKEND_H_
#define STEER_TESTS_GRPC_SUPPORT_BACKEND_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace steer_test {

// "ipv4:127.0.0.1:<port>,127.0.0.1:<port>...": a target that needs no name resolution.
std::string StaticTarget(const std::vector<int>& ports);

// A port of 127.0.0.1 that no other program gets while this object exists, although nothing listens
// on it yet. So a server that was killed can return to its port.
class ReservedPort {
 public:
  ReservedPort();
  ~ReservedPort();

  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  int port() const { return port_; }

 private:
  int fd_;
  int port_;
};

// A port that accepts connections and never sends anything: its endpoint stays in CONNECTING.
class MuteListener {
 public:
  MuteListener();

  int port() const { return port_.port(); }

 private:
  struct Socket {
    ~Socket();
    int fd;
  };

  ReservedPort port_;
  Socket listener_;
};

class Backend {
 public:
  struct Options {
    bool started = true;
    // Offers grpc.health.v1.Health for this service, which is SERVING until SetHealth. Empty: none.
    std::string health_service;
    // PEM files. Empty: no TLS.
    std::string tls_certificate;
    std::string tls_key;
    // How long each call takes.
    std::chrono::milliseconds delay{0};
    // How many calls a connection carries at once. 0: gRPC's default.
    int max_streams = 0;
  };

  Backend();
  explicit Backend(const Options& options);

  // The same for all starts.
  int port() const { return port_.port(); }

  // Starts the process (again) and waits until it listens.
  void Start();
  // Lets running calls finish, and ends the process. Waits for its end.
  void Shutdown();
  // Kills the process. Waits for its end.
  void Kill();

  void SetHealth(bool serving);
  // Makes calls fail with UNAVAILABLE, or no longer.
  void SetFailing(bool failing);
  void SetDelay(std::chrono::milliseconds delay);
  // Sets the serialised load report of each call's trailers, and that of the stream of reports.
  void SetTrailer(const std::string& report);
  void SetReport(const std::string& report);
  // Sets the load report that gRPC's CallMetricRecorder makes for each call.
  void Record(double cpu, double application, double qps, double eps);

 private:
  // Sends one command and waits until it has taken effect.
  void Command(const std::string& line);

  const Options options_;
  ReservedPort port_;
  std::unique_ptr<ChildProcess> process_;
};

// Several backends of the same kind.
class Backends {
 public:
  explicit Backends(int count, const Backend::Options& options = {});

  Backend& operator[](size_t index) { return *backends_[index]; }
  size_t size() const { return backends_.size(); }
  std::vector<int> ports() const;

 private:
  std::vector<std::unique_ptr<Backend>> backends_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_BACKEND_H_
