// The data plane: one call of the engine's for each pick.
#include "picker.h"

#include "endpoint.h"
#include "text.h"

namespace steer {
namespace shim {
namespace {

using PickResult = GrpcPolicy::PickResult;

// Apart from Pick, so that the usual path carries no strings.
__attribute__((noinline, cold)) PickResult NotCompleted(steer_status status,
                                                        const steer_pick_result& result) {
  if (status != STEER_OK) {
    return PickResult::Fail(
        absl::InternalError("steer_picker_pick: " + FromC(steer_status_text(status))));
  }
  switch (result.kind) {
    case STEER_PICK_QUEUE:
      return PickResult::Queue();
    case STEER_PICK_FAIL:
    case STEER_PICK_DROP: {
      absl::Status why(static_cast<absl::StatusCode>(result.code), FromC(result.message));
      if (result.kind == STEER_PICK_DROP) return PickResult::Drop(std::move(why));
      return PickResult::Fail(std::move(why));
    }
    default:
      return PickResult::Fail(absl::InternalError("steer_picker_pick: unknown kind of result"));
  }
}

}  // namespace

PickResult Picker::Pick(GrpcPolicy::PickArgs args) {
  steer_pick_result result;
  result.struct_size = sizeof(result);
  steer_status status;
  if (wants_ == 0) {
    status = steer_picker_pick(picker_, nullptr, &result);
  } else {
    const steer_call call = {sizeof(call), ToC(args.path)};
    status = steer_picker_pick(picker_, &call, &result);
  }
  if (GPR_LIKELY(status == STEER_OK && result.kind == STEER_PICK_COMPLETE)) {
    return PickConnection(result.connection, args);
  }
  return NotCompleted(status, result);
}

}  // namespace shim
}  // namespace steer
