// Load reports of backends, for hosts of the engine that are written in C++.
//
// Must not include: anything of gRPC's.
#ifndef STEER_HOST_LOAD_HPP
#define STEER_HOST_LOAD_HPP

#include <string>
#include <utility>
#include <vector>

#include "steer/base.h"
#include "steer/text.hpp"

namespace steer::host {

// A backend's load report: see steer_metrics. Below 0: not reported.
struct Load {
  using Named = std::vector<std::pair<std::string, double>>;

  double cpu_utilization = 0;
  double mem_utilization = 0;
  double application_utilization = 0;
  double qps = 0;
  double eps = 0;
  Named request_cost;
  Named utilization;
  Named named;
};

// Calls `body` with the report in C. It is valid only during the call.
template <typename Body>
void WithMetrics(const Load& load, Body body) {
  const auto reported = [](double value) { return value > 0 ? value : 0; };
  const auto view = [](const Load::Named& named) {
    std::vector<steer_metric> metrics;
    for (const auto& [name, value] : named) {
      metrics.push_back({sizeof(steer_metric), ToC(name), value});
    }
    return metrics;
  };
  const std::vector<steer_metric> request_cost = view(load.request_cost);
  const std::vector<steer_metric> utilization = view(load.utilization);
  const std::vector<steer_metric> named = view(load.named);
  steer_metrics metrics = {};
  metrics.struct_size = sizeof(metrics);
  metrics.cpu_utilization = reported(load.cpu_utilization);
  metrics.mem_utilization = reported(load.mem_utilization);
  metrics.application_utilization = reported(load.application_utilization);
  metrics.qps = reported(load.qps);
  metrics.eps = reported(load.eps);
  metrics.request_cost = request_cost.data();
  metrics.request_cost_count = request_cost.size();
  metrics.utilization = utilization.data();
  metrics.utilization_count = utilization.size();
  metrics.named = named.data();
  metrics.named_count = named.size();
  body(metrics);
}

}  // namespace steer::host

#endif  // STEER_HOST_LOAD_HPP
