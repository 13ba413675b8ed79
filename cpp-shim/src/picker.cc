// The data plane: one call of the engine's for each pick.
#include "picker.h"

#include "endpoint.h"
#include "text.h"

namespace steer {
namespace shim {
namespace {

using PickResult = GrpcPolicy::PickResult;

// Apart from Pick, so that the usual path carries no strings.
__attribute__((noinline, cold)) PickResult NotCompleted(const steer_picked& picked,
                                                        const steer_pick_failure& failure) {
  if (picked.kind < 0) {
    return PickResult::Fail(absl::InternalError(
        "steer_picker_pick: " + FromC(steer_status_text(static_cast<int32_t>(-picked.kind)))));
  }
  if (picked.kind == STEER_PICK_QUEUE) return PickResult::Queue();
  absl::Status why(static_cast<absl::StatusCode>(failure.code), FromC(failure.message));
  if (picked.kind == STEER_PICK_DROP) return PickResult::Drop(std::move(why));
  return PickResult::Fail(std::move(why));
}

}  // namespace

PickResult Picker::Pick(GrpcPolicy::PickArgs args) {
  steer_pick_failure failure;
  failure.struct_size = sizeof(failure);
  steer_picked picked;
  if (GPR_LIKELY(wants_ == 0)) {
    picked = steer_picker_pick(picker_, nullptr, &failure);
  } else {
    const steer_call call = {sizeof(call), ToC(args.path)};
    picked = steer_picker_pick(picker_, &call, &failure);
  }
  if (GPR_LIKELY(picked.kind == STEER_PICK_COMPLETE)) {
    return PickConnection(picked.connection, args);
  }
  return NotCompleted(picked, failure);
}

}  // namespace shim
}  // namespace steer
