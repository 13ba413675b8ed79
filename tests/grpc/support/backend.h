// A server process of its own, started, steered and ended by a test. Knows nothing of policies.
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

// A port of 127.0.0.1 that nobody else gets while this object lives, although nothing listens on it
// yet: so a server that was lost can come back where it was, whatever else runs on the machine.
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

// A port that accepts connections and never says a word: an endpoint that stays in CONNECTING.
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
    // Offers grpc.health.v1.Health; each service is SERVING until SetHealth says otherwise.
    std::string health_service;
    // PEM files; empty means plain text.
    std::string tls_certificate;
    std::string tls_key;
    // How long each call takes.
    std::chrono::milliseconds delay{0};
  };

  Backend();
  explicit Backend(const Options& options);

  // The port stays the same over any number of starts.
  int port() const { return port_.port(); }

  // Starts the process (again) and waits until it listens.
  void Start();
  // Ends the process gracefully: running calls are finished. Waits for its end.
  void Shutdown();
  // Ends the process by SIGKILL. Waits for its end.
  void Kill();

  void SetHealth(bool serving);
  // From now on calls fail with UNAVAILABLE, or no longer do.
  void SetFailing(bool failing);
  void SetDelay(std::chrono::milliseconds delay);
  // Serialised load reports: for each call's trailers, and for the stream of reports.
  void SetTrailer(const std::string& report);
  void SetReport(const std::string& report);
  // What each call reports by gRPC's own CallMetricRecorder.
  void Record(double cpu, double application, double qps, double eps);

 private:
  // Sends one line and waits until the process has done what it says.
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
