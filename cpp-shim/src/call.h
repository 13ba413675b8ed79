// One call for the engine's pickers: what they may read of it and add to it, and how it goes.
//
// Must not know: any particular policy.
#ifndef STEER_SHIM_CALL_H
#define STEER_SHIM_CALL_H

#include <string>

#include "generation/picks.h"
#include "steer/host.hpp"
#include "steer/steer.h"

namespace steer::shim {

// gRPC's views are not everywhere those of the standard library.
inline steer_str ToC(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view ViewOf(steer_str text) { return {text.data, text.length}; }

// A call's headers, during a pick.
struct Headers {
  char* Allocate(size_t size) const { return static_cast<char*>(args.call_state->Alloc(size)); }

  bool Find(steer_str name, steer_str* value) const {
    std::string buffer;
    const auto found = args.initial_metadata->Lookup(ViewOf(name), &buffer);
    if (!found.has_value()) return false;
    *value = ToC(*found);
    // So it is when gRPC had to make it, of several headers.
    if (found->data() == buffer.data()) {
      char* copy = Allocate(found->size());
      value->data = copy;
      found->copy(copy, found->size());
    }
    return true;
  }

  const GrpcPolicy::PickArgs& args;
};

// Tells a tracker of the engine's how its call goes. Lies in memory of the call's.
class CallTracker final : public GrpcPolicy::SubchannelCallTrackerInterface {
 public:
  // Takes `tracker` over.
  explicit CallTracker(steer_call_tracker* tracker) : tracker_(tracker) {
    if (!kReportsStart<GrpcPolicy::SubchannelCallTrackerInterface>) Start();
  }
  ~CallTracker() { steer_call_tracker_free(tracker_); }

  static void* operator new(size_t size, GrpcPolicy::CallState* call) { return call->Alloc(size); }
  static void operator delete(void*) {}
  static void operator delete(void*, GrpcPolicy::CallState*) {}

  // gRPC's, or not.
  void Start() { steer_call_tracker_start(tracker_); }
  void Finish(FinishArgs args) {
    std::string buffer;
    steer_str metrics = {};
    const bool wanted = (steer_call_tracker_wants(tracker_) & STEER_WANTS_METRICS) != 0;
    if (wanted && args.trailing_metadata != nullptr) {
      auto found = args.trailing_metadata->Lookup("endpoint-load-metrics-bin", &buffer);
      // Its name before 1.47, for servers too.
      if (!found) found = args.trailing_metadata->Lookup("x-endpoint-load-metrics-bin", &buffer);
      if (found) metrics = ToC(*found);
    }
    host::FinishCall(tracker_, static_cast<int32_t>(args.status.code()), ToC(args.status.message()),
                     metrics);
  }

 private:
  steer_call_tracker* const tracker_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_CALL_H
