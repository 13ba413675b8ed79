// One call: what the engine's pickers may read of it and add to it, and what becomes of it.
//
// Must not depend on: any particular policy.
#ifndef STEER_SHIM_CALL_H
#define STEER_SHIM_CALL_H

#include <string>

#include "generation/load_reports.h"
#include "generation/picks.h"
#include "steer/host.hpp"
#include "steer/steer.h"

namespace steer::shim {

// absl::string_view is not std::string_view in every build of gRPC.
inline steer_str ToC(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view ViewOf(steer_str text) { return {text.data, text.length}; }

// A call's headers. Lives during one pick; `args` has call_state and initial_metadata.
struct Headers {
  // Memory that lives as long as the call.
  char* Allocate(size_t size) const { return static_cast<char*>(args.call_state->Alloc(size)); }

  bool Find(steer_str name, steer_str* value) const {
    std::string buffer;
    const auto found = args.initial_metadata->Lookup(ViewOf(name), &buffer);
    if (!found.has_value()) return false;
    *value = ToC(*found);
    // gRPC joins several headers of one name in `buffer`, which does not outlive this function.
    if (found->data() == buffer.data()) {
      char* copy = Allocate(found->size());
      value->data = copy;
      found->copy(copy, found->size());
    }
    return true;
  }

  const GrpcPolicy::PickArgs& args;
};

// Tells one of the engine's trackers about the start and the end of a call.
//
// Lifetime: made by Picker in the call's memory, used by gRPC on the call's threads, destroyed by
// gRPC when the call has ended or was not sent.
class CallTracker final : public GrpcPolicy::SubchannelCallTrackerInterface {
 public:
  // Takes ownership of `tracker`.
  explicit CallTracker(steer_call_tracker* tracker) : tracker_(tracker) {
    if (!kReportsStart<GrpcPolicy::SubchannelCallTrackerInterface>) Start();
  }
  ~CallTracker() { steer_call_tracker_free(tracker_); }

  // The call's memory is freed with the call.
  static void* operator new(size_t size, GrpcPolicy::CallState* call) { return call->Alloc(size); }
  static void operator delete(void*) {}
  static void operator delete(void*, GrpcPolicy::CallState*) {}

  // Called by gRPC, or by the constructor where gRPC does not report the start.
  void Start() { steer_call_tracker_start(tracker_); }

  void Finish(FinishArgs args) {
    std::string buffer;
    steer_str metrics = {};
    const bool wanted = (steer_call_tracker_wants(tracker_) & STEER_WANTS_METRICS) != 0;
    if (wanted && args.trailing_metadata != nullptr) {
      auto found = args.trailing_metadata->Lookup("endpoint-load-metrics-bin", &buffer);
      // Servers of gRPC before 1.47 use this name.
      if (!found) found = args.trailing_metadata->Lookup("x-endpoint-load-metrics-bin", &buffer);
      if (found) metrics = ToC(*found);
    }
    const auto finish = [&](const steer_metrics* report) {
      host::FinishCall(tracker_, static_cast<int32_t>(args.status.code()),
                       ToC(args.status.message()), metrics, report);
    };
    // A layer between the policy and the call may give a report here alone. The trailer is better
    // where there is one: not every version of gRPC decodes all of it.
    if (wanted && metrics.length == 0 && args.backend_metric_accessor != nullptr) {
      if (const auto* data = args.backend_metric_accessor->GetBackendMetricData()) {
        return host::WithMetrics(LoadOf(*data), [&](const auto& report) { finish(&report); });
      }
    }
    finish(nullptr);
  }

 private:
  steer_call_tracker* const tracker_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_CALL_H
