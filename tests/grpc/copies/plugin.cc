// A plugin that a program opens, registers and closes itself.
#include <steer/steer.hpp>

namespace {

int32_t Register(const steer_api* api) {
  return steer::Picker("closed_pick").Register(api, [](auto& build) {
    return [last = build.backends.size() - 1](const steer::Call&) {
      return steer::Choice::Complete(last);
    };
  });
}

}  // namespace

STEER_PLUGIN(closed_plugin, "closed", "1.0", Register)
