// Its entry throws within steer.hpp: moving its function throws.

#include <stdexcept>
#include <steer/steer.hpp>

namespace {

struct Make {
  Make() = default;
  Make(Make&&) { throw std::runtime_error("not to be moved"); }
  Make(const Make&) = default;
  auto operator()(steer::Build<>&) const {
    return [](const steer::Call&) { return steer::Choice::Complete(0); };
  }
};

int32_t Entry(const steer_api* api) {
  const Make make;
  return steer::Picker("throws_at_once").Register(api, make);
}

}  // namespace

STEER_PLUGIN(throws_at_once_plugin, "throws_at_once", "1.0", Entry)
