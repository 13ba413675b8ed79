// Load reports of backends (ORCA), per call and out of band, and the weights that
// steer_weighted_round_robin derives from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/generation.h"
#include "support/load_report.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

#if __has_include(<grpcpp/ext/server_metric_recorder.h>)  // from 1.54
#define STEER_TEST_WITH_RECORDER 1
#endif

namespace steer_test {
namespace {

// Uses weights from the first report on, and updates them ten times a second.
std::string Weighted(const std::string& more = "") {
  return ServiceConfig("steer_weighted_round_robin",
                       R"({"blackoutPeriod":"0s","weightUpdatePeriod":"0.1s")" + more + "}");
}

// A report of 100 calls per second at this utilization: a weight of 100 / cpu.
std::string Busy(double cpu) { return LoadReport().Number(1, cpu).Number(6, 100).bytes(); }

// Waits until each backend gets its share of 400 calls, within 2 %.
testing::AssertionResult WaitForShares(const std::shared_ptr<grpc::Channel>& channel,
                                       Backends& backends, const std::vector<double>& shares) {
  constexpr int kCalls = 400;
  Counts counts;
  const bool came = WaitUntil([&] {
    counts = CountCalls(channel, kCalls);
    for (size_t i = 0; i < backends.size(); ++i) {
      if (std::abs(counts[backends[i].port()] - kCalls * shares[i]) > kCalls * 0.02) return false;
    }
    return true;
  });
  if (came) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the shares are " << testing::PrintToString(counts);
}

TEST(Load, WeightsFollowTheTrailersOfCalls) {
  Backends backends(2);
  backends[0].SetTrailer(Busy(0.75));
  backends[1].SetTrailer(Busy(0.25));
  const auto channel = MakeChannel(StaticTarget(backends.ports()), Weighted());
  EXPECT_TRUE(WaitForShares(channel, backends, {0.25, 0.75}));
  // The load of the first backend changes.
  backends[0].SetTrailer(Busy(0.25));
  EXPECT_TRUE(WaitForShares(channel, backends, {0.5, 0.5}));
}

TEST(Load, WeightsFollowGrpcsCallMetricRecorder) {
#ifdef STEER_TEST_WITH_RECORDER
  Backends backends(2);
  // The application's utilization counts, if the report has it.
  backends[0].Record(0.1, 0.8, 100, 0);
  // Errors add to the utilization: 0.1 and 10 errors in 100 calls make 0.2.
  backends[1].Record(0.1, 0, 100, 10);
  Script& script = Script::New();
  script.wants = STEER_WANTS_METRICS;
  script.pick = [&](const steer_backends&, const steer_call*) { return script.Track(0); };
  ASSERT_TRUE(
      Call(MakeChannel(StaticTarget({backends[0].port()}), script.ServiceConfig())).status.ok());
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(ends[0].has_metrics);
  EXPECT_EQ(ends[0].cpu_utilization, 0.1);
  EXPECT_EQ(ends[0].application_utilization, 0.8);
  EXPECT_EQ(ends[0].qps, 100);

  const auto channel = MakeChannel(StaticTarget(backends.ports()), Weighted());
  EXPECT_TRUE(WaitForShares(channel, backends, {0.2, 0.8}));
#else
  GTEST_SKIP() << "this gRPC's recorder has no calls per second";
#endif
}

TEST(Load, WeightsFollowOutOfBandReports) {
  if (!LoadReportsHaveQps()) GTEST_SKIP() << "this gRPC's reports have no calls per second";
  Backends backends(2);
  backends[0].SetReport(Busy(0.75));
  backends[1].SetReport(Busy(0.25));
  const auto channel =
      MakeChannel(StaticTarget(backends.ports()),
                  Weighted(R"(,"enableOobLoadReport":true,"oobReportingPeriod":"0.1s")"));
  EXPECT_TRUE(WaitForShares(channel, backends, {0.25, 0.75}));
  backends[1].SetReport(Busy(0.75));
  EXPECT_TRUE(WaitForShares(channel, backends, {0.5, 0.5}));
}

TEST(Load, OutOfBandReportsContinueAfterAServerWasLost) {
  if (!LoadReportsHaveQps()) GTEST_SKIP() << "this gRPC's reports have no calls per second";
  Backends backends(2);
  const auto report = [&] {
    backends[0].SetReport(Busy(0.75));
    backends[1].SetReport(Busy(0.25));
  };
  report();
  const auto channel =
      MakeChannel(StaticTarget(backends.ports()),
                  Weighted(R"(,"enableOobLoadReport":true,"oobReportingPeriod":"0.1s")"));
  ASSERT_TRUE(WaitForShares(channel, backends, {0.25, 0.75}));
  backends[1].Kill();
  EXPECT_TRUE(WaitForShares(channel, backends, {1, 0}));
  backends[1].Start();
  report();
  EXPECT_TRUE(WaitForShares(channel, backends, {0.25, 0.75}));
}

TEST(Load, StaticWeightsNeedNoReports) {
  Backends backends(3);
  const auto address = [&](size_t i) {
    return "\"ipv4:127.0.0.1:" + std::to_string(backends[i].port()) + "\"";
  };
  // The third backend gets the mean of the two weights.
  const auto channel =
      MakeChannel(StaticTarget(backends.ports()),
                  ServiceConfig("steer_weighted_round_robin",
                                R"({"weights":{)" + address(0) + ":1," + address(1) + ":3}}"));
  EXPECT_TRUE(WaitForShares(channel, backends, {1.0 / 6, 3.0 / 6, 2.0 / 6}));
}

}  // namespace
}  // namespace steer_test
