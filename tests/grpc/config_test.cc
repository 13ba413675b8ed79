// What an application sees of an error in a service config. Calls fail with the errors of a config
// from the resolver, each with its field path. If the config is a channel argument, older gRPC
// versions report less and log the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "support/generation.h"
#include "support/policy_fixture.h"

namespace steer_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Config : public PolicyTest {
 protected:
  // The status of a call when the resolver sends this config.
  grpc::Status CallWith(const std::string& service_config) {
    ResolverFeed feed;
    ResolverFeed::Result result;
    result.ports = {backend_.port()};
    result.service_config = service_config;
    feed.Feed(result);
    return Call(MakeChannel(feed.target(), "")).status;
  }

  Backend backend_;
};
STEER_FOR_EACH_POLICY(Config);

TEST_P(Config, UnknownFieldsAreIgnored) {
  const std::string config =
      ServiceConfig(policy(), R"({"notKnown":1,"norThis":{"a":[null,{}]}})", R"(,"norThis":true)");
  EXPECT_TRUE(CallWith(config).ok());
  const auto channel = MakeChannel(StaticTarget({backend_.port()}), config);
  EXPECT_TRUE(Call(channel).status.ok());
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), policy());
}

TEST_P(Config, AWrongTypeIsReportedWithItsFieldPath) {
  for (const char* const value : {"\"yes\"", "[]", "5", "true", "null"}) {
    const std::string config = ServiceConfig(policy(), value);
    const grpc::Status status = CallWith(config);
    EXPECT_FALSE(status.ok()) << value;
    EXPECT_THAT(status.error_message(), HasSubstr(FaultOf("loadBalancingConfig"))) << value;
    EXPECT_FALSE(Call(MakeChannel(StaticTarget({backend_.port()}), config)).status.ok()) << value;
  }
}

TEST_P(Config, AllErrorsAreReportedWhereThePolicyIsAChild) {
  if (!HasOutlierDetection()) GTEST_SKIP() << "this gRPC has no outlier detection";
  const std::string config = ServiceConfig(
      "outlier_detection_experimental",
      R"({"interval":5,"maxEjectionPercent":"x","childPolicy":[{")" + policy() + R"(":7}]})");
  const grpc::Status status = CallWith(config);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.error_message(),
              AllOf(HasSubstr(FaultOf("loadBalancingConfig")), HasSubstr(FaultOf("childPolicy")),
                    HasSubstr(FaultOf("interval")), HasSubstr(FaultOf("maxEjectionPercent"))));
}

TEST_P(Config, AnUnknownPolicyIsReportedByItsName) {
  const grpc::Status status = CallWith(ServiceConfig(policy() + "_2"));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.error_message(), HasSubstr("No known policies in list: " + policy() + "_2"));
}

TEST_P(Config, AWrongConfigDoesNotReplaceAValidOne) {
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = {backend_.port()};
  result.service_config = ServiceConfig(policy());
  feed.Feed(result);
  const auto channel = MakeChannel(feed.target(), "");
  ASSERT_TRUE(Call(channel).status.ok());
  result.service_config = ServiceConfig(policy(), "\"yes\"");
  ASSERT_EQ(feed.Feed(result).wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(Call(channel).status.ok());
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), policy());
}

}  // namespace
}  // namespace steer_test
