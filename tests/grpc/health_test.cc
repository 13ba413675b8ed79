// Backends that are connected but must not be used: client-side health checking, and Steer as the
// child of outlier detection.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/generation.h"
#include "support/policy_fixture.h"

namespace steer_test {
namespace {

constexpr int kHealthLoadThreads = 2;

class Health : public PolicyTest {
 protected:
  static Backend::Options WithHealth() {
    Backend::Options options;
    options.health_service = "greeter";
    return options;
  }

  const std::string kCheckHealth = R"(,"healthCheckConfig":{"serviceName":"greeter"})";
};
STEER_FOR_EACH_POLICY(Health);

TEST_P(Health, ABackendThatIsNotServingIsAvoidedWithoutAFailedCall) {
  Backends backends(3, WithHealth());
  const std::vector<int> others = {backends[0].port(), backends[2].port()};
  const auto channel = Channel(StaticTarget(backends.ports()), kCheckHealth);
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kHealthLoadThreads);
  for (int round = 0; round < 3; ++round) {
    backends[1].SetHealth(false);
    EXPECT_TRUE(load.WaitForPorts(others));
    backends[1].SetHealth(true);
    EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

// How to remove a server without a failed call: it first reports NOT_SERVING, then shuts down.
TEST_P(Health, ABackendIsDrainedAndShutDownWithoutAFailedCall) {
  Backends backends(3, WithHealth());
  const std::vector<int> others = {backends[0].port(), backends[2].port()};
  const auto channel = Channel(StaticTarget(backends.ports()), kCheckHealth);
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kHealthLoadThreads);
  for (int round = 0; round < 3; ++round) {
    backends[1].SetHealth(false);
    EXPECT_TRUE(load.WaitForPorts(others));
    backends[1].Shutdown();
    EXPECT_TRUE(load.WaitForPorts(others));
    backends[1].Start();
    EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

TEST_P(Health, CallsFailWhenNoBackendIsServing) {
  Backends backends(2, WithHealth());
  for (size_t i = 0; i < backends.size(); ++i) backends[i].SetHealth(false);
  const auto channel = Channel(StaticTarget(backends.ports()), kCheckHealth);
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  PendingCall waiting(channel, {true, kPatience});
  for (size_t i = 0; i < backends.size(); ++i) backends[i].SetHealth(true);
  EXPECT_TRUE(waiting.Result().status.ok());
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

TEST_P(Health, ABackendWithoutAHealthServiceCountsAsServing) {
  Backend with(WithHealth());
  Backend without;
  const auto channel = Channel(StaticTarget({with.port(), without.port()}), kCheckHealth);
  EXPECT_TRUE(WaitForRotation(channel, {with.port(), without.port()}));
  with.SetHealth(false);
  EXPECT_TRUE(WaitForRotation(channel, {without.port()}));
}

TEST_P(Health, NoCheckWithoutAServiceName) {
  Backends backends(2, WithHealth());
  backends[0].SetHealth(false);
  const auto channel = Channel(StaticTarget(backends.ports()));
  EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
}

class OutlierDetection : public PolicyTest {};
STEER_FOR_EACH_POLICY(OutlierDetection);

TEST_P(OutlierDetection, AFailingBackendIsEjectedAndReturns) {
  if (!HasOutlierDetection()) GTEST_SKIP() << "this gRPC has no outlier detection";
  Backends backends(4);
  const std::vector<int> others = {backends[0].port(), backends[1].port(), backends[3].port()};
  const std::string config =
      R"({"interval":"0.2s","baseEjectionTime":"1s","maxEjectionPercent":50,)"
      R"("failurePercentageEjection":{"threshold":50,"minimumHosts":3,)"
      R"("requestVolume":5,"enforcementPercentage":100},"childPolicy":[{")" +
      policy() + R"(":{}}]})";
  const auto channel = MakeChannel(StaticTarget(backends.ports()),
                                   ServiceConfig("outlier_detection_experimental", config));
  ASSERT_TRUE(WaitForRotation(channel, backends.ports()));
  Load load(channel, kHealthLoadThreads);
  backends[2].SetFailing(true);
  // A failed call counts as an answer of port 0, so this waits for a run of calls without one.
  EXPECT_TRUE(load.WaitForPorts(others));
  backends[2].SetFailing(false);
  EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  EXPECT_GT(load.failures(), 0);
}

}  // namespace
}  // namespace steer_test
