// The data plane: one call of the engine's for each pick.
#include "picker.h"

#include "endpoint.h"
#include "text.h"

namespace steer {
namespace shim {
namespace {

using PickResult = GrpcPolicy::PickResult;

// Apart from Pick, so that the usual path carries no strings.
__attribute__((noinline, cold)) PickResult NotCompleted(steer_picked picked) {
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

__attribute__((noinline)) steer_picked PickWithCall(const steer_picker* picker,
                                                    absl::string_view path) {
  const steer_call call = {sizeof(call), ToC(path)};
  return steer_picker_pick(picker, &call);
}

}  // namespace

PickResult Picker::Pick(GrpcPolicy::PickArgs args) {
  const steer_picked picked = GPR_LIKELY(wants_ == 0) ? steer_picker_pick(picker_, nullptr)
                                                      : PickWithCall(picker_, args.path);
  if (GPR_LIKELY(picked.kind == STEER_PICK_COMPLETE)) return PickConnection(picked.value, args);
  return NotCompleted(picked);
}

}  // namespace shim
}  // namespace steer
