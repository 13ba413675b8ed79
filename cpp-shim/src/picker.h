// gRPC's picker around one of the engine's: one call of the engine's for each pick. Holds no list
// of its own: a completed pick carries the connection itself.
//
// Must not know: any particular policy.
#ifndef STEER_SHIM_PICKER_H
#define STEER_SHIM_PICKER_H

#include <utility>

#include "call.h"
#include "generation/picks.h"
#include "generation/request_hash.h"
#include "steer/steer.h"

namespace steer::shim {

class Picker final : public GrpcPicker {
 public:
  // Takes `picker` over.
  explicit Picker(steer_picker* picker)
      : picker_(picker), wants_(steer_picker_wants(picker) & ~uint32_t{STEER_WANTS_METRICS}) {}
  ~Picker() override { steer_picker_free(picker_); }

  PickResult Pick(GrpcPolicy::PickArgs args) override {
    if (GPR_UNLIKELY(wants_ != 0)) {
      return wants_ == STEER_WANTS_REQUEST_HASH ? PickByHash(args) : PickForCall(args);
    }
    const steer_picked picked = steer_picker_pick(picker_, nullptr);
    if (GPR_LIKELY(picked.kind == STEER_PICK_COMPLETE)) {
      return PickOver(static_cast<Connection*>(picked.value), args);
    }
    return Otherwise(picked, args);
  }

 private:
  // As PickForCall, for what a number is enough for.
  __attribute__((noinline)) PickResult PickByHash(const GrpcPolicy::PickArgs& args) const {
    steer_call call = {};
    call.struct_size = sizeof(call);
    const auto hash = HashOf(args);
    call.request_hash = hash.value_or(0);
    call.has_request_hash = int32_t{hash.has_value()};
    const steer_picked picked = steer_picker_pick(picker_, &call);
    return picked.kind == STEER_PICK_COMPLETE
               ? PickOver(static_cast<Connection*>(picked.value), args)
               : Otherwise(picked, args);
  }

  static std::optional<uint64_t> HashOf(const GrpcPolicy::PickArgs& args) {
    if (args.call_state == nullptr) return std::nullopt;
    return RequestHashOf(args.call_state, Preferred());
  }

  __attribute__((noinline)) PickResult PickForCall(const GrpcPolicy::PickArgs& args) const {
    Headers headers = {args};
    // A ping is picked as a call is, and has none.
    const bool has_headers = (wants_ & STEER_WANTS_HEADERS) != 0 &&
                             args.initial_metadata != nullptr && args.call_state != nullptr;
    const host::PickedCall<Headers> call(
        (wants_ & STEER_WANTS_PATH) != 0 ? ToC(args.path) : steer_str{},
        has_headers ? &headers : nullptr,
        (wants_ & STEER_WANTS_REQUEST_HASH) != 0 ? HashOf(args) : std::nullopt);
    const steer_picked picked = steer_picker_pick(picker_, call.get());
    PickResult result = picked.kind == STEER_PICK_COMPLETE
                            ? PickOver(static_cast<Connection*>(picked.value), args)
                            : Otherwise(picked, args);
    if (PickResult::Complete* complete = CompleteOf(&result)) {
      for (const auto& [name, value] : call.added()) {
        AddHeader(args.initial_metadata, complete, ViewOf(name), ViewOf(value), Preferred());
      }
    }
    return result;
  }

  // Not of this picker: the usual path then has less to keep while it picks.
  __attribute__((noinline)) static PickResult Otherwise(steer_picked picked,
                                                        const GrpcPolicy::PickArgs& args) {
    if (picked.kind != STEER_PICK_TRACKED) return NotCompleted(picked);
    auto* tracker = static_cast<steer_call_tracker*>(picked.value);
    PickResult result =
        PickOver(static_cast<Connection*>(steer_call_tracker_connection(tracker)), args);
    PickResult::Complete* complete = CompleteOf(&result);
    if (complete == nullptr || args.call_state == nullptr) {
      // Not sent yet; or a ping, which does not end.
      steer_call_tracker_free(tracker);
      return result;
    }
    complete->subchannel_call_tracker.reset(new (args.call_state) CallTracker(tracker));
    return result;
  }

  // Apart from Pick, so that the usual path carries no strings.
  __attribute__((noinline, cold)) static PickResult NotCompleted(steer_picked picked) {
    if (picked.kind == STEER_PICK_QUEUE) return PickResult::Queue();
    const host::Status failure = host::FailureOf(picked);
    absl::Status why(static_cast<absl::StatusCode>(failure.code), failure.message);
    if (picked.kind == STEER_PICK_DROP) return PickResult::Drop(std::move(why));
    return PickResult::Fail(std::move(why));
  }

  steer_picker* const picker_;
  // To know of a call when it is picked.
  const uint32_t wants_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_PICKER_H
