// gRPC's outlier_detection above a policy. It ties what it knows to a subchannel when the
// subchannel is made, and forgets the addresses that an update leaves out. So a policy under it
// must make new subchannels of the addresses that come back.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "support/policy_fixture.h"

namespace steer_test {
namespace {

constexpr char kOutlierDetection[] = "outlier_detection_experimental";

class Outlier : public PolicyTest {
 protected:
  // Makes the channel, and waits until both backends answer its calls.
  void SetUp() override {
    feed_.FeedPorts(backends_.ports());
    channel_ = EjectingChannel();
    ASSERT_TRUE(Call(channel_).status.ok());
    if (channel_->GetLoadBalancingPolicyName() != kOutlierDetection) {
      GTEST_SKIP() << "this gRPC has no outlier detection";
    }
    ASSERT_TRUE(BothAnswer());
  }

  // Returns whether the channel has accepted the list in time.
  bool Feed(const std::vector<int>& ports) {
    std::future<grpc::Status> accepted = feed_.FeedPorts(ports);
    return accepted.wait_for(kPatience) == std::future_status::ready && accepted.get().ok();
  }

  bool BothAnswer() { return WaitForRotation(channel_, backends_.ports()); }

  // Waits until the first backend answers all of 50 calls in a row.
  bool OnlyTheFirstAnswers() {
    return WaitUntil([&] {
      const Counts counts = CountCalls(channel_, 50);
      return counts.size() == 1 && counts.begin()->first == backends_[0].port();
    });
  }

  Backends backends_{2};
  MuteListener mute_;

 private:
  // A channel that ejects a backend, for the rest of the test, once most of its calls have failed.
  // It takes another policy where gRPC does not offer outlier detection.
  std::shared_ptr<grpc::Channel> EjectingChannel() {
    const std::string config = R"({"interval":"0.2s","baseEjectionTime":"1000s",
        "maxEjectionTime":"1000s","maxEjectionPercent":100,
        "failurePercentageEjection":{"threshold":50,"enforcementPercentage":100,
            "minimumHosts":2,"requestVolume":5},
        "childPolicy":[{")" + policy() +
                               R"(":{}}]})";
    return MakeChannel(feed_.target(), std::string(R"({"loadBalancingConfig":[{")") +
                                           kOutlierDetection + R"(":)" + config +
                                           R"(},{"pick_first":{}}]})");
  }

  ResolverFeed feed_;
  std::shared_ptr<grpc::Channel> channel_;
};
STEER_FOR_EACH_POLICY(Outlier);

// A list, one that does not connect and so stays pending, and the first one again.
TEST_P(Outlier, ABackendThatComesBackIsEjectedWhenItFails) {
  ASSERT_TRUE(Feed({mute_.port()}));
  ASSERT_TRUE(BothAnswer());
  ASSERT_TRUE(Feed(backends_.ports()));
  ASSERT_TRUE(BothAnswer());
  backends_[1].SetFailing(true);
  EXPECT_TRUE(OnlyTheFirstAnswers());
}

TEST_P(Outlier, AnEjectedBackendThatComesBackIsUsedAgain) {
  backends_[1].SetFailing(true);
  ASSERT_TRUE(OnlyTheFirstAnswers());
  backends_[1].SetFailing(false);
  ASSERT_TRUE(Feed({mute_.port()}));
  ASSERT_TRUE(OnlyTheFirstAnswers());
  ASSERT_TRUE(Feed(backends_.ports()));
  EXPECT_TRUE(BothAnswer());
}

}  // namespace
}  // namespace steer_test
