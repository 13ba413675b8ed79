// Load reports that a backend sends outside of calls.
//
// Differs between gRPC versions: 1.46 has none. Reports have calls and errors per second and named
// metrics from 1.53 on, and the application's utilization came later.
//
// Must not depend on: the engine, what a report is for.
#ifndef STEER_SHIM_GENERATION_LOAD_REPORTS_H
#define STEER_SHIM_GENERATION_LOAD_REPORTS_H

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "base.h"
#include "steer/host.hpp"

#if __has_include("src/core/load_balancing/oob_backend_metric.h")  // from 1.62
#include "src/core/load_balancing/oob_backend_metric.h"
#elif __has_include( \
    "src/core/ext/filters/client_channel/lb_policy/oob_backend_metric.h")  // from 1.47
#include "src/core/ext/filters/client_channel/lb_policy/oob_backend_metric.h"
#else
#define STEER_GRPC_WITHOUT_LOAD_REPORTS 1
#endif

namespace steer::shim {

// Whether and where a subchannel's backend reports its load.
struct LoadReports {
  // The shortest time between two reports. 0: the backend does not report.
  uint64_t period_ns = 0;
  // Called with locks of gRPC's held, so it must not call gRPC before it returns.
  std::function<void(host::Load)> report;
};

#ifdef STEER_GRPC_WITHOUT_LOAD_REPORTS
inline void WatchLoad(Subchannel*, const LoadReports&) {}
#else
// Calls `copy` if it compiles for `data`: not every gRPC version has each field.
template <typename Data, typename Copy>
void CopyIfThere([[maybe_unused]] const Data& data, [[maybe_unused]] Copy copy) {
  if constexpr (std::is_invocable_v<Copy, const Data&>) copy(data);
}

// Made by WatchLoad. gRPC owns it, and destroys it with the subchannel.
class LoadWatcher final : public grpc_core::OobBackendMetricWatcher {
 public:
  explicit LoadWatcher(LoadReports reports) : reports_(std::move(reports)) {}

  void OnBackendMetricReport(const grpc_core::BackendMetricData& data) override {
    const auto named = [](const auto& metrics) {
      return host::Load::Named(metrics.begin(), metrics.end());
    };
    host::Load load;
    load.cpu_utilization = data.cpu_utilization;
    load.mem_utilization = data.mem_utilization;
    load.request_cost = named(data.request_cost);
    load.utilization = named(data.utilization);
    CopyIfThere(data, [&](auto& from) -> decltype(from.qps, void()) { load.qps = from.qps; });
    CopyIfThere(data, [&](auto& from) -> decltype(from.eps, void()) {
      load.eps = from.eps;
      load.named = named(from.named_metrics);
    });
    CopyIfThere(data, [&](auto& from) -> decltype(from.application_utilization, void()) {
      load.application_utilization = from.application_utilization;
    });
    reports_.report(std::move(load));
  }

 private:
  const LoadReports reports_;
};

// Has the subchannel's backend report its load.
inline void WatchLoad(Subchannel* subchannel, const LoadReports& reports) {
  if (reports.period_ns == 0) return;
  subchannel->AddDataWatcher(grpc_core::MakeOobBackendMetricWatcher(
      grpc_core::Duration::NanosecondsRoundUp(reports.period_ns),
      std::make_unique<LoadWatcher>(reports)));
}
#endif

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_LOAD_REPORTS_H
