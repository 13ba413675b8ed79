// gRPC's picker around one of the engine's: one call of the engine's for each pick. Holds no list
// of its own: a completed pick carries the connection itself.
//
// Must not know: any particular policy.
#ifndef STEER_SHIM_PICKER_H
#define STEER_SHIM_PICKER_H

#include <utility>

#include "engine.h"
#include "generation.h"
#include "steer/steer.h"

namespace steer::shim {

class Picker final : public GrpcPicker {
 public:
  // Takes `picker` over.
  explicit Picker(steer_picker* picker) : picker_(picker), wants_(steer_picker_wants(picker)) {}
  ~Picker() override { steer_picker_free(picker_); }

  GrpcPolicy::PickResult Pick(GrpcPolicy::PickArgs args) override {
    const steer_picked picked =
        GPR_LIKELY(wants_ == 0) ? steer_picker_pick(picker_, nullptr) : PickWithCall(args.path);
    if (GPR_LIKELY(picked.kind == STEER_PICK_COMPLETE)) {
      return PickOver(static_cast<Connection*>(picked.value), args);
    }
    return NotCompleted(picked);
  }

 private:
  using PickResult = GrpcPolicy::PickResult;

  __attribute__((noinline)) steer_picked PickWithCall(absl::string_view path) const {
    const steer_call call = {sizeof(call), ToC(path)};
    return steer_picker_pick(picker_, &call);
  }

  // Apart from Pick, so that the usual path carries no strings.
  __attribute__((noinline, cold)) static PickResult NotCompleted(steer_picked picked) {
    if (picked.kind == STEER_PICK_QUEUE) return PickResult::Queue();
    if (picked.kind < 0) {
      const auto status = static_cast<int32_t>(-picked.kind);
      return PickResult::Fail(
          absl::InternalError("steer_picker_pick: " + FromC(steer_status_text(status))));
    }
    const auto* failure = static_cast<const steer_pick_failure*>(picked.value);
    absl::Status why(static_cast<absl::StatusCode>(failure->code), FromC(failure->message));
    if (picked.kind == STEER_PICK_DROP) return PickResult::Drop(std::move(why));
    return PickResult::Fail(std::move(why));
  }

  steer_picker* const picker_;
  const uint32_t wants_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_PICKER_H
