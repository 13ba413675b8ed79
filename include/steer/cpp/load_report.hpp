// Part of steer.hpp, which users include: load reports of backends.
#ifndef STEER_CPP_LOAD_REPORT_HPP
#define STEER_CPP_LOAD_REPORT_HPP

#include <cstddef>
#include <optional>
#include <string_view>

#include "steer/cpp/base.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// A load report (ORCA) that a backend sent with a call or out of band. Valid during the function
// that gets it. Numbers that the backend did not report are 0. Converts to false if there is no
// report.
class LoadReport {
 public:
  STEER_LOCAL explicit LoadReport(const steer_metrics* report) : report_(report) {}
  STEER_LOCAL explicit operator bool() const { return report_ != nullptr; }

  // The used share of the processors. May be above 1.
  double cpu_utilization() const { return Get(&steer_metrics::cpu_utilization); }
  // The used share of the memory, from 0 to 1.
  double mem_utilization() const { return Get(&steer_metrics::mem_utilization); }
  // The application's own measure of its load. May be above 1.
  double application_utilization() const { return Get(&steer_metrics::application_utilization); }
  // The calls per second that the backend serves.
  double qps() const { return Get(&steer_metrics::qps); }
  // The errors per second that it answers with.
  double eps() const { return Get(&steer_metrics::eps); }

  // The application's own number of this name, if it is in the report.
  STEER_LOCAL std::optional<double> Named(std::string_view name) const {
    double value;
    if (!steer_metrics_named(report_, ToC(name), &value)) return std::nullopt;
    return value;
  }
  // The used share of the resource of this name, from 0 to 1.
  STEER_LOCAL std::optional<double> Utilization(std::string_view name) const {
    double value;
    if (!steer_metrics_utilization(report_, ToC(name), &value)) return std::nullopt;
    return value;
  }
  // The cost of this name of the call that the report came with.
  STEER_LOCAL std::optional<double> RequestCost(std::string_view name) const {
    double value;
    if (!steer_metrics_request_cost(report_, ToC(name), &value)) return std::nullopt;
    return value;
  }
  // Calls `each(std::string_view name, double value)` for all of the application's own numbers.
  template <class Each>
  STEER_LOCAL void ForEachNamed(Each each) const {
    const size_t count = report_ == nullptr ? 0 : report_->named_count;
    for (size_t i = 0; i < count; ++i) {
      const steer_metric* const one = steer_metric_at(report_->named, i);
      each(View(one->name), one->value);
    }
  }

  // The report of the C ABI. May be NULL.
  const steer_metrics* get() const { return report_; }

 private:
  STEER_LOCAL double Get(double steer_metrics::*field) const {
    return report_ == nullptr ? 0 : report_->*field;
  }

  const steer_metrics* report_;
};

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_LOAD_REPORT_HPP
