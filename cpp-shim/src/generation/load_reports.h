// Load reports of backends, as gRPC decodes them: with calls, and outside of calls.
//
// Differs between gRPC versions: 1.46 has none outside of calls. Up to 1.56 they end only with
// their subchannel. Reports have calls and errors per second and named metrics from 1.53 on, and
// the application's utilization came later.
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

// Calls `copy` if it compiles for `data`: not every gRPC version has each field.
template <typename Data, typename Copy>
void CopyIfThere([[maybe_unused]] const Data& data, [[maybe_unused]] Copy copy) {
  if constexpr (std::is_invocable_v<Copy, const Data&>) copy(data);
}

// Copies a report: a BackendMetricData of any gRPC version.
template <typename Data>
host::Load LoadOf(const Data& data) {
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
  return load;
}

// Whether and where a subchannel's backend reports its load.
struct LoadReports {
  // The shortest time between two reports. 0: the backend does not report.
  uint64_t period_ns = 0;
  // Called with locks of gRPC's held, so it must not call gRPC before it returns.
  std::function<void(host::Load)> report;
};

#ifdef STEER_GRPC_WITHOUT_LOAD_REPORTS
constexpr bool kLoadReportsHaveQps = false;

class LoadWatch {
 public:
  bool Set(Subchannel*, const LoadReports&) { return true; }
};
#else
template <typename Data, typename = void>
struct HasQps : std::false_type {};
template <typename Data>
struct HasQps<Data, std::void_t<decltype(std::declval<Data>().qps)> > : std::true_type {};
// Whether gRPC reads the calls per second of a report.
constexpr bool kLoadReportsHaveQps = HasQps<grpc_core::BackendMetricData>::value;

// Made by LoadWatch. gRPC owns it.
class LoadWatcher final : public grpc_core::OobBackendMetricWatcher {
 public:
  explicit LoadWatcher(LoadReports reports) : reports_(std::move(reports)) {}

  void OnBackendMetricReport(const grpc_core::BackendMetricData& data) override {
    reports_.report(LoadOf(data));
  }

 private:
  const LoadReports reports_;
};

// Ends a data watch of a subchannel. Returns false where gRPC has no way to.
template <typename S>
auto CancelDataWatch(S* subchannel, grpc_core::SubchannelInterface::DataWatcherInterface* watch,
                     Preferred) -> decltype(subchannel->CancelDataWatcher(watch), bool()) {
  subchannel->CancelDataWatcher(watch);
  return true;
}
template <typename S>
bool CancelDataWatch(S*, grpc_core::SubchannelInterface::DataWatcherInterface*, Fallback) {
  return false;
}

// The load reports of one subchannel. All methods run in the work serializer.
class LoadWatch {
 public:
  // Whether the subchannel's backend reports its load so.
  bool Follows(const LoadReports& reports) const { return reports.period_ns == period_ns_; }
  // Has the subchannel's backend report its load as `reports` says, and no longer as before.
  // Returns false, and changes nothing, where gRPC cannot end the reports that there are. The
  // subchannel is the same each time.
  bool Set(Subchannel* subchannel, const LoadReports& reports) {
    if (Follows(reports)) return true;
    if (watch_ != nullptr) {
      if (!CancelDataWatch(subchannel, watch_, Preferred())) return false;
      watch_ = nullptr;
    }
    period_ns_ = reports.period_ns;
    if (period_ns_ == 0) return true;
    auto watch =
        grpc_core::MakeOobBackendMetricWatcher(grpc_core::Duration::NanosecondsRoundUp(period_ns_),
                                               std::make_unique<LoadWatcher>(reports));
    watch_ = watch.get();
    subchannel->AddDataWatcher(std::move(watch));
    return true;
  }

 private:
  uint64_t period_ns_ = 0;
  // The subchannel owns it; a pointer value only, never dereferenced.
  grpc_core::SubchannelInterface::DataWatcherInterface* watch_ = nullptr;
};
#endif

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_LOAD_REPORTS_H
