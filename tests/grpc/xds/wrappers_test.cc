// Steer's policies with children, on what EDS says of endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsWrappers : public XdsTest {
 protected:
  // Two backends in each of the zones a and b.
  std::vector<XdsLocality> Zones() {
    return {{"a", EndpointsOf({backends_[0].port(), backends_[1].port()})},
            {"b", EndpointsOf({backends_[2].port(), backends_[3].port()})}};
  }

  Backends backends_{4};
};

TEST_F(XdsWrappers, SubsetConnectsToAPart) {
  for (const bool wrr_locality : {false, true}) {
    ASSERT_TRUE(plane_.Serve({{R"({"steer_subset":{"subsetSize":1}})"}, Zones(), wrr_locality}));
    const auto channel = XdsChannel();
    // One of all, or one of each locality.
    const size_t size = wrr_locality ? 2 : 1;
    EXPECT_TRUE(WaitUntil([&] {
      const Counts counts = CountUsers(channel, 40);
      return counts.size() == size && counts.count(0) == 0;
    })) << wrr_locality;
  }
}

TEST_F(XdsWrappers, LocalityStaysInItsZone) {
  ASSERT_TRUE(plane_.Serve(
      {{R"({"steer_locality":{"zone":"b","childPolicy":[{"steer_least_request":{}}]}})"},
       Zones(),
       false}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, {backends_[2].port(), backends_[3].port()}));
  backends_[2].Kill();
  backends_[3].Kill();
  EXPECT_TRUE(WaitForPorts(channel, {backends_[0].port(), backends_[1].port()}));
}

TEST_F(XdsWrappers, PriorityTakesZonesInOrder) {
  ASSERT_TRUE(plane_.Serve(
      {{R"({"steer_priority":{"attribute":"zone","order":["b","a"]}})"}, Zones(), false}));
  const auto channel = XdsChannel();
  EXPECT_TRUE(WaitForPorts(channel, {backends_[2].port(), backends_[3].port()}));
  backends_[2].Kill();
  backends_[3].Kill();
  EXPECT_TRUE(WaitForPorts(channel, {backends_[0].port(), backends_[1].port()}));
  backends_[2].Start();
  EXPECT_TRUE(WaitForPorts(channel, {backends_[2].port()}));
}

TEST_F(XdsWrappers, SlowStartSparesABackendThatIsNew) {
  for (const char* child : {"steer_round_robin", "steer_least_request"}) {
    const std::string policy =
        R"({"steer_slow_start":{"slowStartWindow":"1000s","minWeightPercent":5,"childPolicy":[{")" +
        std::string(child) + "\":{}}]}}";
    const std::vector<int> ports = backends_.ports();
    ASSERT_TRUE(plane_.Serve({{policy}, {{"a", EndpointsOf({ports[0], ports[1]})}}}));
    const auto channel = XdsChannel();
    ASSERT_TRUE(WaitForPorts(channel, {ports[0], ports[1]}));
    // The first two have started together. A window later the third one would get a third.
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ASSERT_TRUE(plane_.Serve({{policy}, {{"a", EndpointsOf({ports[0], ports[1], ports[2]})}}}));
    EXPECT_TRUE(WaitForPorts(channel, {ports[0], ports[1], ports[2]})) << child;
  }
}

TEST_F(XdsWrappers, HaveFaultsWithTheirWholePath) {
  ASSERT_TRUE(plane_.Serve(
      {{R"({"steer_subset":{"childPolicy":[{"steer_least_request":{"choiceCount":1}}]}})"},
       Zones()}));
  const auto channel = XdsChannel();
  channel->GetState(true);
  EXPECT_THAT(plane_.WaitForLine("NACK CDS"),
              testing::HasSubstr("steer_subset.childPolicy[0].steer_least_request.choiceCount "
                                 "error:must be at least 2"));
}

}  // namespace
}  // namespace steer_test
