// Steer's statistics over HTTP, for Prometheus and steer-top.
#ifndef STEER_EXAMPLES_METRICS_H
#define STEER_EXAMPLES_METRICS_H

#include <memory>
#include <string>

// Serves on 127.0.0.1 until it is destroyed: /metrics for Prometheus, /stats.json for steer-top,
// and / with a list of the two.
class MetricsServer {
 public:
  // Starts a server on this port; on any free port if it is 0. Returns nothing on failure, and sets
  // `error`.
  static std::unique_ptr<MetricsServer> Start(int port, std::string* error);
  virtual ~MetricsServer() = default;

  // Returns the port that it serves on.
  virtual int port() const = 0;
};

#endif  // STEER_EXAMPLES_METRICS_H
