// Names of gRPC's own policies that other policies have taken over, in a process that says so
// itself. take_over_programs_test.cc has processes that others say it for, and refusals.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>
#include <steer/steer.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <steer/steer.hpp>
#include <string>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/generation.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A custom policy that sends all calls to the first backend.
constexpr char kFirst[] = "first_backend";

void RegisterFirst() {
  const int32_t status = steer::Picker(kFirst).Register(steer_api_get(), [](auto&) {
    return [](const steer::Call&) { return steer::Choice::Complete(0); };
  });
  if (status != STEER_OK) std::abort();
}

steer::RegisterStatus TakeOver() {
  steer::RegisterOptions options;
  options.take_over = {{"round_robin", "steer_peak_ewma", R"({"decayTime":"5s"})"},
                       {"ring_hash_experimental", "steer_maglev", R"({"tableSize":5003})"},
                       {"weighted_round_robin", kFirst}};
  return steer::Register(options);
}

class TakeOverTest : public testing::Test {
 protected:
  std::string target() const { return StaticTarget(backends_.ports()); }

  // A channel with a service config, after its first call.
  std::shared_ptr<grpc::Channel> Called(const std::string& service_config) {
    const auto channel = MakeChannel(target(), service_config);
    const grpc::Status status = Call(channel).status;
    EXPECT_TRUE(status.ok()) << status.error_message();
    return channel;
  }

  static std::string Entry(const std::string& policy, const std::string& taken_name) {
    return R"("policy":")" + policy + R"(","taken_name":")" + taken_name + "\"";
  }

  // Expects that the channel's policy is Steer's, by its name and in the statistics.
  static void ExpectPeakEwma(const std::shared_ptr<grpc::Channel>& channel) {
    EXPECT_EQ(channel->GetLoadBalancingPolicyName(), "steer_peak_ewma");
    EXPECT_THAT(steer::StatsJson(), HasSubstr(Entry("steer_peak_ewma", "round_robin")));
  }

  // Waits until all backends are connected. There is no other channel.
  static bool AllReady() {
    return WaitUntil([] {
      const std::string stats = steer::StatsJson();
      return stats.find("CONNECTING") == stats.npos && stats.find("IDLE") == stats.npos;
    });
  }

  // The ports that answer 20 calls with this header.
  static Counts Answered(const std::shared_ptr<grpc::Channel>& channel, const std::string& user) {
    std::vector<int> ports;
    for (int i = 0; i < 20; ++i) {
      CallOptions options;
      options.metadata = {{"user", user}};
      ports.push_back(Call(channel, options).port);
    }
    return CountPorts(ports);
  }

  Backends backends_{3};
};

TEST_F(TakeOverTest, InALoadBalancingConfig) {
  ExpectPeakEwma(Called(R"({"loadBalancingConfig":[{"round_robin":{}}]})"));
}

TEST_F(TakeOverTest, InAListOfPoliciesTheFirstThatIsKnownIsUsed) {
  ExpectPeakEwma(Called(
      R"({"loadBalancingConfig":[{"nobody_knows":{}},{"round_robin":{}},{"pick_first":{}}]})"));
}

TEST_F(TakeOverTest, InTheFormerFieldForAName) {
  ExpectPeakEwma(Called(R"({"loadBalancingPolicy":"ROUND_ROBIN"})"));
}

TEST_F(TakeOverTest, InAChannelArgument) {
  grpc::ChannelArguments arguments = TestArguments();
  arguments.SetLoadBalancingPolicyName("round_robin");
  const auto channel =
      grpc::CreateCustomChannel(target(), grpc::InsecureChannelCredentials(), arguments);
  EXPECT_TRUE(Call(channel).status.ok());
  ExpectPeakEwma(channel);
}

TEST_F(TakeOverTest, AsAChildOfGrpcsOwnPolicy) {
  const auto channel = Called(R"({"loadBalancingConfig":[{"outlier_detection_experimental":{
      "successRateEjection":{},"childPolicy":[{"round_robin":{}}]}}]})");
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), "outlier_detection_experimental");
  EXPECT_THAT(steer::StatsJson(), HasSubstr(Entry("steer_peak_ewma", "round_robin")));
  EXPECT_EQ(CountCalls(channel, 30).count(0), 0u);
}

TEST_F(TakeOverTest, ThePolicyItselfIsNotMarkedAsTaken) {
  const auto channel = Called(R"({"loadBalancingConfig":[{"steer_peak_ewma":{}}]})");
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), "steer_peak_ewma");
  EXPECT_THAT(steer::StatsJson(), Not(HasSubstr("taken_name")));
}

TEST_F(TakeOverTest, PickFirstStaysGrpcs) {
  const auto channel = Called(R"({"loadBalancingConfig":[{"pick_first":{}}]})");
  EXPECT_EQ(CountCalls(channel, 20).size(), 1u);
}

TEST_F(TakeOverTest, GrpcsOwnPolicyHasAnotherName) {
  const auto channel = Called(R"({"loadBalancingConfig":[{"grpc_round_robin":{}}]})");
  EXPECT_TRUE(WaitForRotation(channel, backends_.ports()));
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), "round_robin");
  EXPECT_THAT(steer::StatsJson(), Not(HasSubstr("\"target\"")));
}

TEST_F(TakeOverTest, ConfigsOfAkinPoliciesAreUnderstood) {
  const auto channel = Called(
      R"({"loadBalancingConfig":[{"ring_hash_experimental":{"requestHashHeader":"user",
          "minRingSize":1024,"maxRingSize":8388608}}]})");
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), "steer_maglev");
  ASSERT_TRUE(AllReady());
  Counts all;
  for (int user = 0; user < 20; ++user) {
    const Counts answered = Answered(channel, std::to_string(user));
    EXPECT_EQ(answered.size(), 1u);
    all[answered.begin()->first] += 1;
  }
  EXPECT_GT(all.size(), 1u);
}

TEST_F(TakeOverTest, ConfigsThatThePolicyRefusesAreRefused) {
  const auto channel = MakeChannel(target(), R"({"loadBalancingConfig":[{"ring_hash_experimental":
          {"requestHashHeader":"user-bin"}}]})");
  EXPECT_FALSE(Call(channel).status.ok());
}

// gRPC 1.51 does not have this policy. Its name becomes known.
TEST_F(TakeOverTest, ACustomPolicyTakesAName) {
  const auto channel =
      Called(R"({"loadBalancingConfig":[{"weighted_round_robin":{"blackoutPeriod":"1s"}}]})");
  EXPECT_EQ(channel->GetLoadBalancingPolicyName(), kFirst);
  EXPECT_THAT(steer::StatsJson(), HasSubstr(Entry(kFirst, "weighted_round_robin")));
  EXPECT_TRUE(WaitUntil([&] { return CountCalls(channel, 20).size() == 1; }));
}

TEST_F(TakeOverTest, TheStatisticsNameAllThatIsTaken) {
  EXPECT_THAT(
      steer::StatsJson(),
      HasSubstr(R"("taken_over":[{"name":"ring_hash_experimental","policy":"steer_maglev"},)"
                R"({"name":"round_robin","policy":"steer_peak_ewma"},)"
                R"({"name":"weighted_round_robin","policy":"first_backend"}])"));
  EXPECT_THAT(steer::StatsPrometheus(),
              HasSubstr(R"(steer_taken_over_info{name="round_robin",policy="steer_peak_ewma"} 1)"));
}

TEST_F(TakeOverTest, ASecondCallIsTooLateOnceThereIsAChannel) {
  Called(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  EXPECT_TRUE(TakeOver().ok());
  steer::RegisterOptions options;
  options.take_over = {{"ring_hash", "steer_ring_hash"}};
  const steer::RegisterStatus status = steer::Register(options);
  EXPECT_EQ(status.code(), steer::RegisterCode::kTakeOverFailed);
  EXPECT_THAT(status.message(), HasSubstr("does not let Steer take over ring_hash now"));
  EXPECT_THAT(steer::StatsJson(), Not(HasSubstr(R"("ring_hash")")));
}

}  // namespace
}  // namespace steer_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!steer_test::NamesCanBeTakenOver()) {
    std::cout << "gRPC up to 1.49 cannot replace its own policies" << std::endl;
    return 0;
  }
  steer_test::RegisterFirst();
  const steer::RegisterStatus status = steer_test::TakeOver();
  std::cout << status.message() << std::endl;
  if (!status.ok()) return 1;
  return RUN_ALL_TESTS();
}
