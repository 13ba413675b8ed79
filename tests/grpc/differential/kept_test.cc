// What an update or a lost connection costs the channel: which subchannels are made again, and how
// often the policy requests re-resolution.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fake_channel.h"
#include "run_in_grpc.h"

namespace steer_testing {
namespace {

// A channel whose backends connect when a test says so.
class Channel final : public ChannelHost {
 public:
  explicit Channel(const std::string& policy) : channel_(policy, this) {
    EXPECT_TRUE(channel_.status().ok()) << channel_.status();
  }
  ~Channel() override {
    channel_.Run([&] { watches_.clear(); });
    channel_.Orphan();
    picker_.reset();
    channel_.Drain();
  }

  void SetArg(const char* name, int value) { channel_.SetArg(name, value); }
  void SetConfig(const std::string& policy, const std::string& config) {
    channel_.SetConfig(policy, config);
    EXPECT_TRUE(channel_.status().ok()) << channel_.status();
  }
  int load_watches() const { return load_watches_; }
  // Two backends. Returns how many subchannels were made for them.
  int Update() {
    made_ = 0;
    ResolverUpdate update;
    update.addresses.resize(2);
    update.addresses[1].address = 1;
    EXPECT_TRUE(channel_.Update(update).ok());
    return made_;
  }
  // Every connection changes to this state. Returns how often re-resolution was requested.
  int Report(grpc_connectivity_state state) {
    requests_ = 0;
    std::vector<std::shared_ptr<Watch>> watches;
    channel_.Run([&] { watches = watches_; });
    const absl::Status status = state == GRPC_CHANNEL_TRANSIENT_FAILURE
                                    ? absl::UnavailableError("refused")
                                    : absl::OkStatus();
    for (const auto& watch : watches) {
      channel_.Run([&] { watch->Report(state, status); });
      if (state != GRPC_CHANNEL_READY || !watch->health_watched()) continue;
      channel_.Run([&] { watch->ReportHealth(state, status); });
    }
    return requests_;
  }

  bool CanCreate(const Backend&) override { return true; }
  grpc_connectivity_state StateOf(const Backend&) override { return GRPC_CHANNEL_IDLE; }
  void SubchannelCreated(const Backend&) override { ++made_; }
  void SubchannelDestroyed(const Backend&) override {}
  void WatchStarted(std::shared_ptr<Watch> watch) override { watches_.push_back(std::move(watch)); }
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override {
    watches_.erase(std::remove(watches_.begin(), watches_.end(), watch), watches_.end());
  }
  void ConnectionRequested(const Backend&) override {}
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state, const absl::Status&, PickerPtr picker) override {
    picker_ = std::move(picker);
  }
  void ReresolutionRequested() override { ++requests_; }
  void LoadWatchesChanged(int change) override { load_watches_ += change; }
  void PolicyDestroyed() override {}
  void Misused(const std::string& what) override { ADD_FAILURE() << what; }

 private:
  int made_ = 0;
  int requests_ = 0;
  int load_watches_ = 0;
  std::vector<std::shared_ptr<Watch>> watches_;
  PickerPtr picker_;
  FakeChannel channel_;
};

TEST(KeptSubchannels, ArgsThatSubchannelsDoNotSeeMakeNoneAgain) {
#ifdef GRPC_ARG_NO_SUBCHANNEL_PREFIX
  Channel channel("steer_round_robin");
  EXPECT_EQ(channel.Update(), 2);
  for (int value = 1; value < 4; ++value) {
    channel.SetArg(GRPC_ARG_NO_SUBCHANNEL_PREFIX "steer_test", value);
    EXPECT_EQ(channel.Update(), 0);
  }
#else
  GTEST_SKIP() << "this gRPC's subchannels see all channel args";
#endif
}

// A connection that comes about later reports its load as often as is wanted then.
TEST(KeptSubchannels, AnotherReportingPeriodCountsForLaterConnections) {
  const int watches = STEER_TEST_GENERATION == 1 ? 0 : 2;
  Channel channel("steer_prequal");
  EXPECT_EQ(channel.Update(), 2);
  channel.SetConfig("steer_prequal", R"({"enableOobLoadReport":true,"oobReportingPeriod":"0.1s"})");
  EXPECT_EQ(channel.Update(), 0);
  channel.Report(GRPC_CHANNEL_IDLE);
  channel.Report(GRPC_CHANNEL_CONNECTING);
  channel.Report(GRPC_CHANNEL_READY);
  EXPECT_EQ(channel.load_watches(), watches);
}

TEST(KeptSubchannels, OtherArgsMakeAllAgain) {
  Channel channel("steer_round_robin");
  EXPECT_EQ(channel.Update(), 2);
  channel.SetArg("grpc.internal.steer_test", 1);
  EXPECT_EQ(channel.Update(), 2);
  EXPECT_EQ(channel.Update(), 0);
}

// In child mode, subchannels follow when they are READY.
TEST(KeptSubchannels, AnotherReportingPeriodMakesNoneAgain) {
  const auto reports = [](const std::string& period) {
    return R"({"enableOobLoadReport":true,"oobReportingPeriod":")" + period + "\"}";
  };
  const std::string none = R"({"enableOobLoadReport":false})";
  const int watches = STEER_TEST_GENERATION == 1 ? 0 : 2;
  // gRPC 1.51 cannot end the reports of a subchannel.
  const int made = STEER_TEST_GENERATION == 2 ? 2 : 0;
  Channel channel("steer_prequal");
  EXPECT_EQ(channel.Update(), 2);
  channel.Report(GRPC_CHANNEL_IDLE);
  channel.Report(GRPC_CHANNEL_CONNECTING);
  channel.Report(GRPC_CHANNEL_READY);
  EXPECT_EQ(channel.load_watches(), 0);
  channel.SetConfig("steer_prequal", reports("0.5s"));
  EXPECT_EQ(channel.Update(), 0);
  EXPECT_EQ(channel.load_watches(), watches);
  channel.SetConfig("steer_prequal", reports("0.1s"));
  EXPECT_EQ(channel.Update(), made);
  if (made == 0) {
    EXPECT_EQ(channel.load_watches(), watches);
  }
  EXPECT_EQ(channel.Update(), 0);
  channel.SetConfig("steer_prequal", none);
  EXPECT_EQ(channel.Update(), made);
  if (made == 0) {
    EXPECT_EQ(channel.load_watches(), 0);
  }
  channel.SetConfig("steer_prequal", reports("0.1s"));
  EXPECT_EQ(channel.Update(), 0);
}

class Reresolution : public testing::TestWithParam<const char*> {};

// In gRPC 1.46 a lost connection has failed.
constexpr grpc_connectivity_state kLost =
    STEER_TEST_GENERATION == 1 ? GRPC_CHANNEL_TRANSIENT_FAILURE : GRPC_CHANNEL_IDLE;

TEST_P(Reresolution, IsRequestedOnceForEachLostConnection) {
  Channel channel(GetParam());
  channel.Update();
  for (int round = 0; round < 3; ++round) {
    if (round == 0) channel.Report(GRPC_CHANNEL_IDLE);
    channel.Report(GRPC_CHANNEL_CONNECTING);
    EXPECT_EQ(channel.Report(GRPC_CHANNEL_READY), 0);
    EXPECT_EQ(channel.Report(kLost), 2) << "round " << round;
  }
}

TEST_P(Reresolution, IsRequestedOnceForEachFailedConnection) {
  Channel channel(GetParam());
  channel.Update();
  channel.Report(GRPC_CHANNEL_IDLE);
  channel.Report(GRPC_CHANNEL_CONNECTING);
  EXPECT_EQ(channel.Report(GRPC_CHANNEL_TRANSIENT_FAILURE), 2);
}

INSTANTIATE_TEST_SUITE_P(Policies, Reresolution,
                         testing::Values("steer_round_robin", "round_robin"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
