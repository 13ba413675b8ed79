// Steer's statistics over HTTP, for Prometheus and steer-top.
#ifndef STEER_EXAMPLES_METRICS_H
#define STEER_EXAMPLES_METRICS_H

#include <memory>
#include <string>

// Serves on 127.0.0.1 until it is destroyed: /metrics for Prometheus, /stats.json for steer-top.
class MetricsServer {
 public:
  // On this port; 0: on any that is free. Nothing when that fails; then `error` says why.
  static std::unique_ptr<MetricsServer> Start(int port, std::string* error);
  virtual ~MetricsServer() = default;

  // The one that it serves on.
  virtual int port() const = 0;
};

#endif  // STEER_EXAMPLES_METRICS_H
