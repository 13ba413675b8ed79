// Does not compile if BY is empty: the wants of a copy of `build` would be lost.
#include <steer/steer.hpp>

static int32_t Entry(const steer_api* api) {
  return steer::Picker("by_value").Register(api, [](auto BY build) {
    build.WantHeader("user");
    return [](const steer::Call&) { return steer::Choice::Complete(0); };
  });
}

STEER_PLUGIN(by_value_plugin, "by_value", "1.0", Entry)
