// Its entry throws, before it registers anything.

#include <stdexcept>
#include <steer/steer.hpp>

static int32_t Entry(const steer_api*) {
  throw std::runtime_error("the file of weights is missing");
}

STEER_PLUGIN(entry_throws_plugin, "entry_throws", "1.0", Entry)
