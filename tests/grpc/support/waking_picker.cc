// The picker: each end of a call wakes it.
#include "support/waking_picker.h"

#include <cstdlib>
#include <memory>
#include <mutex>

namespace steer_test {
namespace {

std::mutex waking_mutex;
// Guarded by `waking_mutex`.
std::shared_ptr<Waking> latest_waking;

}  // namespace

void RegisterWakingPicker() {
  const int32_t status = steer::Picker("waking")
                             .ChannelState([](steer::Channel channel) {
                               const std::lock_guard<std::mutex> lock(waking_mutex);
                               return latest_waking = std::make_shared<Waking>(channel);
                             })
                             .Timer([](std::shared_ptr<Waking>& waking, uint64_t timer) {
                               ++(timer == 0 ? waking->wakes : waking->timers);
                             })
                             .Register(steer_api_get(), [](auto& build) {
                               ++build.state->pickers;
                               build.state->ready = build.backends.size();
                               build.state->all = build.backends.All().size();
                               return [waking = build.state](const steer::Call&) {
                                 return steer::Choice::Complete(0, [waking](const steer::CallEnd&) {
                                   waking->channel.Wake();
                                 });
                               };
                             });
  if (status != STEER_OK) std::abort();
}

std::shared_ptr<Waking> LatestWaking() {
  const std::lock_guard<std::mutex> lock(waking_mutex);
  return latest_waking;
}

}  // namespace steer_test
