// Control planes that restart, lag, send rubbish, or name what does not exist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <memory>
#include <string>
#include <vector>

#include "xds/xds_fixture.h"

namespace steer_test {
namespace {

class XdsControlPlane : public XdsTest {
 protected:
  XdsCluster Cluster(const std::vector<int>& ports,
                     const std::string& policy = R"({"steer_least_request":{}})") {
    return {{policy}, {{"a", EndpointsOf(ports)}}};
  }

  Backends backends_{2};
};

TEST_F(XdsControlPlane, MayRestart) {
  const std::vector<int> ports = backends_.ports();
  ASSERT_TRUE(plane_.Serve(Cluster({ports[0]})));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, {ports[0]}));
  Load load(channel, 1);
  plane_.Kill();
  EXPECT_TRUE(load.WaitForCalls(200));
  ASSERT_EQ(plane_.Start(), "");
  ASSERT_TRUE(plane_.Serve(Cluster({ports[1]})));
  EXPECT_TRUE(load.WaitForPorts({ports[1]}));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_F(XdsControlPlane, MayLag) {
  const std::vector<int> ports = backends_.ports();
  ASSERT_TRUE(plane_.Serve(Cluster({ports[0]}), R"(,"lag":0.2)"));
  const auto channel = XdsChannel();
  // The first call waits for all four answers.
  EXPECT_EQ(Call(channel).port, ports[0]);
  Load load(channel, 1);
  ASSERT_TRUE(plane_.Serve(Cluster({ports[1]}), R"(,"lag":0.5)"));
  EXPECT_TRUE(load.WaitForPorts({ports[1]}));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_F(XdsControlPlane, MaySendRubbish) {
  const std::vector<int> ports = backends_.ports();
  const auto rubbish = [](const std::string& type) { return R"(,"rubbish":[")" + type + "\"]"; };
  ASSERT_TRUE(plane_.Serve(Cluster({ports[0]})));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, {ports[0]}));
  Load load(channel, 1);
  for (const char* type : {"RDS", "EDS"}) {
    ASSERT_TRUE(plane_.Serve(Cluster({ports[0]}), rubbish(type)));
    EXPECT_NE(plane_.WaitForLine(std::string("NACK ") + type), "");
    EXPECT_TRUE(load.WaitForCalls(50));
  }
  ASSERT_TRUE(plane_.Serve(Cluster({ports[1]})));
  EXPECT_TRUE(load.WaitForPorts({ports[1]}));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
  // gRPC takes a cluster that it cannot read as one that is not there any more. It does the same
  // with a listener, after which gRPC 1.51 stays without routes.
  ASSERT_TRUE(plane_.Serve(Cluster({ports[1]}), rubbish("CDS")));
  EXPECT_NE(plane_.WaitForLine("NACK CDS"), "");
  ASSERT_TRUE(plane_.Serve(Cluster({ports[0]})));
  EXPECT_TRUE(WaitForPorts(channel, {ports[0]}));
}

// A faulty config is rejected with the field's path, and the former one stays.
TEST_F(XdsControlPlane, HearsWhichFieldIsWrong) {
  const std::vector<int> ports = backends_.ports();
  ASSERT_TRUE(plane_.Serve(Cluster(ports)));
  const auto channel = XdsChannel();
  ASSERT_TRUE(WaitForPorts(channel, ports));
  Load load(channel, 1);
  for (const bool wrr_locality : {false, true}) {
    XdsCluster faulty =
        Cluster(ports, R"({"steer_least_request":{"choiceCount":1,"failureAware":"no"}})");
    faulty.wrr_locality = wrr_locality;
    ASSERT_TRUE(plane_.Serve(faulty));
    const std::string nack = plane_.WaitForLine("NACK CDS");
    EXPECT_THAT(nack, testing::HasSubstr("choiceCount error:must be at least 2"));
    EXPECT_THAT(nack, testing::HasSubstr("failureAware error:"));
    EXPECT_TRUE(load.WaitForCalls(50));
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_F(XdsControlPlane, HearsThatAPolicyIsNotKnown) {
  ASSERT_TRUE(plane_.Serve(Cluster(backends_.ports(), R"({"policy_of_next_year":{}})")));
  const auto channel = XdsChannel();
  channel->GetState(true);
  EXPECT_THAT(plane_.WaitForLine("NACK CDS"),
              testing::HasSubstr("no supported load balancing policy config"));
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  // The next config is right.
  ASSERT_TRUE(plane_.Serve(Cluster(backends_.ports())));
  EXPECT_TRUE(WaitForPorts(channel, backends_.ports()));
}

}  // namespace
}  // namespace steer_test
