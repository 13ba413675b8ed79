// Where Steer's trackers take a call's load report from: the trailer, or gRPC's accessor, which a
// layer above the policy may have replaced.
#include <gtest/gtest.h>

#include <optional>

#include "ready_channel.h"
#include "run_in_grpc.h"
#include "steer/steer.hpp"

namespace steer_testing {
namespace {

constexpr char kPolicy[] = "tells_cpu_utilization";

// What the last call's report says. Nothing: there was no report.
std::optional<double> reported;

bool Register() {
  return steer::Picker(kPolicy).Register(steer_api_get(), [](auto& build) {
    build.WantMetrics();
    return [](const steer::Call&) {
      return steer::Choice::Complete(0, [](const steer::CallEnd& end) {
        reported.reset();
        if (end.metrics() != nullptr) reported = end.metrics()->cpu_utilization;
      });
    };
  }) == STEER_OK;
}

class LoadReportOfACall : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(Register()); }
  void SetUp() override { channel_.Update(UpdateTo(1)); }

  // Makes a call that ends with these reports. Each may be null: it is missing there.
  std::optional<double> ReportOf(FakeMetadata* trailers,
                                 GrpcPolicy::BackendMetricAccessor* accessor) {
    FakeCallState call;
    {
      const auto result = channel_.Pick({"/helloworld.Greeter/SayHello", nullptr, &call});
      const auto* complete = AlternativeOf<ReadyChannel::PickResult::Complete>(result.result);
      EXPECT_NE(complete, nullptr);
      if (complete == nullptr) return std::nullopt;
      CallTracker* const tracker = complete->subchannel_call_tracker.get();
      StartCall(tracker, 0);
      FinishCall(tracker, trailers, accessor);
    }
    call.Free();
    return reported;
  }

 private:
  ReadyChannel channel_{kPolicy};
};

TEST_F(LoadReportOfACall, ComesFromTheTrailerOrTheAccessor) {
  FakeLoad load(100, 0.25);
  FakeLoad other(100, 0.5);
  EXPECT_EQ(ReportOf(load.trailers(), &load), 0.25);
  EXPECT_EQ(ReportOf(load.trailers(), nullptr), 0.25);
  EXPECT_EQ(ReportOf(nullptr, &load), 0.25);
  EXPECT_EQ(ReportOf(nullptr, nullptr), std::nullopt);
  // Not every gRPC decodes all of a report, and the trailer has all of it.
  EXPECT_EQ(ReportOf(load.trailers(), &other), 0.25);
}

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
