// Clusters that name gRPC's own policies, by the field lb_policy, in a process in which Steer has
// taken these names over. CMakeLists.txt sets STEER_TAKE_OVER for these tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsTakenOver : public XdsTest {};

TEST_F(XdsTakenOver, NamesMakeSteersPolicies) {
  if (std::getenv("STEER_TAKE_OVER") == nullptr) GTEST_SKIP() << "STEER_TAKE_OVER is not set";
  // lb_policy does not need it.
  unsetenv("GRPC_EXPERIMENTAL_XDS_CUSTOM_LB_CONFIG");
  Backends backends(3);
  const std::pair<const char*, const char*> names[] = {{"ROUND_ROBIN", "steer_least_request"},
                                                       {"RING_HASH", "steer_maglev"}};
  for (const auto& [name, policy] : names) {
    XdsCluster cluster = {{}, {{"a", EndpointsOf(backends.ports())}}};
    cluster.more = std::string(R"(,"cluster":{"lbPolicy":")") + name + "\"}";
    ASSERT_TRUE(plane_.Serve(cluster));
    const auto channel = XdsChannel();
    EXPECT_TRUE(WaitForPorts(channel, backends.ports())) << name;
    EXPECT_THAT(steer::StatsJson(),
                testing::HasSubstr(std::string("\"policy\":\"") + policy + "\""));
  }
}

}  // namespace
}  // namespace steer_test
