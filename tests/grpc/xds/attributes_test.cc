// What a custom picker sees of endpoints that EDS names.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "steer/text.hpp"
#include "support/scripted_picker.h"
#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsAttributes : public XdsTest {};

// A backend as a picker sees it.
struct SeenBackend {
  std::string region;
  std::string zone;
  uint32_t weight = 0;
  int64_t locality_weight = 0;
};

bool operator==(const SeenBackend& a, const SeenBackend& b) {
  return a.region == b.region && a.zone == b.zone && a.weight == b.weight &&
         a.locality_weight == b.locality_weight;
}

std::ostream& operator<<(std::ostream& out, const SeenBackend& seen) {
  return out << seen.region << " " << seen.zone << " " << seen.weight << " "
             << seen.locality_weight;
}

std::map<std::string, SeenBackend> Look(const steer_backends& backends) {
  std::map<std::string, SeenBackend> seen;
  for (size_t i = 0; i < backends.count; ++i) {
    const steer_backend& backend = *backends.items[i];
    SeenBackend& one = seen[steer::FromC(backend.addresses[0])];
    one = {steer::FromC(backend.region), steer::FromC(backend.zone), backend.weight, 0};
    for (size_t j = 0; j < backend.attribute_count; ++j) {
      const steer_attribute& attribute = *backend.attributes[j];
      if (steer::FromC(attribute.key) == "xds_locality_weight") {
        one.locality_weight = attribute.integer;
      }
    }
  }
  return seen;
}

TEST_F(XdsAttributes, AreWeightsAndLocalities) {
  Backends backends(2);
  Script& script = Script::New();
  Seen<std::map<std::string, SeenBackend>> seen;
  script.made = [&](const steer_channel*, const steer_backends& of) { seen.Add(Look(of)); };
  ASSERT_TRUE(plane_.Serve({{script.Entry()},
                            {{"a", {{backends[0].port(), 5}}, 2}, {"b", {{backends[1].port(), 7}}}},
                            false}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(Call(channel).status.ok());
  const auto address = [&](size_t index) {
    return "ipv4:127.0.0.1:" + std::to_string(backends[index].port());
  };
  // gRPC passes on the product of both weights.
  const std::map<std::string, SeenBackend> expected = {{address(0), {"here", "a", 10, 2}},
                                                       {address(1), {"here", "b", 7, 1}}};
  EXPECT_TRUE(WaitUntil([&] { return seen.values().back() == expected; }))
      << testing::PrintToString(seen.values().back());
}

}  // namespace
}  // namespace steer_test
