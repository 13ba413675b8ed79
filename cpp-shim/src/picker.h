// gRPC's picker around one of the engine's: each pick is one call of the engine. It holds no list,
// because a completed pick carries the connection itself.
//
// Must not depend on: any particular policy.
#ifndef STEER_SHIM_PICKER_H
#define STEER_SHIM_PICKER_H

#include <optional>
#include <utility>

#include "call.h"
#include "generation/picks.h"
#include "generation/request_hash.h"
#include "steer/steer.h"

namespace steer::shim {

// Made by Policy for each new picker of the engine, used by gRPC on any thread, freed by gRPC with
// its last reference, on any thread.
class Picker final : public GrpcPicker {
 public:
  // Takes ownership of `picker`.
  explicit Picker(steer_picker* picker)
      : picker_(picker), wants_(steer_picker_wants(picker) & ~uint32_t{STEER_WANTS_METRICS}) {}
  ~Picker() override { steer_picker_free(picker_); }

  // A completed pick's value is a connection that ReportLocked gave to the engine. The engine's
  // picker holds a reference to it, and gRPC holds this picker during the pick.
  PickResult Pick(GrpcPolicy::PickArgs args) override {
    if (GPR_UNLIKELY(wants_ != 0)) {
      return wants_ == STEER_WANTS_REQUEST_HASH ? PickByHash(args) : PickForCall(args);
    }
    const steer_picked picked = steer_picker_pick(picker_, nullptr);
    if (GPR_LIKELY(picked.kind == STEER_PICK_COMPLETE)) {
      return PickOver(static_cast<Connection*>(picked.value), args);
    }
    return NotJustComplete(picked, args);
  }

 private:
  // For pickers that read the request hash and nothing else: a cheaper PickForCall.
  __attribute__((noinline)) PickResult PickByHash(const GrpcPolicy::PickArgs& args) const {
    steer_call call = {};
    call.struct_size = sizeof(call);
    const auto hash = HashOf(args);
    call.request_hash = hash.value_or(0);
    call.has_request_hash = int32_t{hash.has_value()};
    return ResultOf(steer_picker_pick(picker_, &call), args);
  }

  // For pickers that read or add more of the call.
  __attribute__((noinline)) PickResult PickForCall(const GrpcPolicy::PickArgs& args) const {
    Headers headers = {args};
    // gRPC also picks for pings, which have neither headers nor a call.
    const bool has_headers = (wants_ & STEER_WANTS_HEADERS) != 0 &&
                             args.initial_metadata != nullptr && args.call_state != nullptr;
    const host::PickedCall<Headers> call(
        (wants_ & STEER_WANTS_PATH) != 0 ? ToC(args.path) : steer_str{},
        has_headers ? &headers : nullptr,
        (wants_ & STEER_WANTS_REQUEST_HASH) != 0 ? HashOf(args) : std::nullopt);
    PickResult result = ResultOf(steer_picker_pick(picker_, call.get()), args);
    if (PickResult::Complete* complete = CompleteOf(&result)) {
      for (const auto& [name, value] : call.added()) {
        AddHeader(args.initial_metadata, complete, ViewOf(name), ViewOf(value), Preferred());
      }
    }
    return result;
  }

  static std::optional<uint64_t> HashOf(const GrpcPolicy::PickArgs& args) {
    if (args.call_state == nullptr) return std::nullopt;
    return RequestHashOf(args.call_state, Preferred());
  }

  static PickResult ResultOf(steer_picked picked, const GrpcPolicy::PickArgs& args) {
    return picked.kind == STEER_PICK_COMPLETE
               ? PickOver(static_cast<Connection*>(picked.value), args)
               : NotJustComplete(picked, args);
  }

  // Static, so that Pick does not have to keep `this` while it picks.
  __attribute__((noinline)) static PickResult NotJustComplete(steer_picked picked,
                                                              const GrpcPolicy::PickArgs& args) {
    if (picked.kind != STEER_PICK_TRACKED) return NotCompleted(picked);
    auto* tracker = static_cast<steer_call_tracker*>(picked.value);
    PickResult result =
        PickOver(static_cast<Connection*>(steer_call_tracker_connection(tracker)), args);
    PickResult::Complete* complete = CompleteOf(&result);
    if (complete == nullptr || args.call_state == nullptr) {
      // The call is not sent yet; or this is a ping, whose end gRPC does not report.
      steer_call_tracker_free(tracker);
      return result;
    }
    complete->subchannel_call_tracker.reset(new (args.call_state) CallTracker(tracker));
    return result;
  }

  // Apart from Pick, so that the usual path handles no strings.
  __attribute__((noinline, cold)) static PickResult NotCompleted(steer_picked picked) {
    if (picked.kind == STEER_PICK_QUEUE) return PickResult::Queue();
    const host::Status failure = host::FailureOf(picked);
    absl::Status why(static_cast<absl::StatusCode>(failure.code), failure.message);
    if (picked.kind == STEER_PICK_DROP) return PickResult::Drop(std::move(why));
    return PickResult::Fail(std::move(why));
  }

  steer_picker* const picker_;
  // What the picker reads of a call, as STEER_WANTS_... Metrics are not part of a pick.
  const uint32_t wants_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_PICKER_H
