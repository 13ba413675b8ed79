// Where the shim releases a connection: in the work serializer, on whatever thread its last call
// ends, and never before the function that ended the call has returned.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fake_call.h"
#include "fake_channel.h"
#include "run_in_grpc.h"
#include "steer/grpc.h"
#include "steer/host.hpp"
#include "steer/steer.hpp"

namespace steer_testing {
namespace {

using Complete = GrpcPolicy::PickResult::Complete;

// A channel that connects every backend, and counts the subchannels that are alive.
class Channel final : public ChannelHost {
 public:
  Channel(const std::string& policy, const std::string& config) : channel_(policy, this, config) {
    EXPECT_TRUE(channel_.status().ok()) << channel_.status();
  }
  ~Channel() override { Orphan(); }

  // Makes this backend the only one, and waits until it is picked.
  void UpdateTo(uint32_t address) {
    ResolverUpdate update;
    update.addresses.resize(1);
    update.addresses[0].address = address;
    ASSERT_TRUE(channel_.Update(update).ok());
    // 5 seconds.
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries && PickedAddress() != address; ++i) {
      // A pick may request a connection, which a thread of gRPC's then does.
      if (i > 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      channel_.Drain();
      Connect();
    }
    ASSERT_EQ(PickedAddress(), address);
  }
  void Orphan() {
    channel_.Run([&] { watches_.clear(); });
    channel_.Orphan();
    Replace(nullptr);
    channel_.Drain();
  }
  void Drain() { channel_.Drain(); }
  // Runs `work` in the work serializer, and then everything that it scheduled.
  void Run(const std::function<void()>& work) { channel_.Run(work); }

  GrpcPolicy::PickResult Pick(FakeCallState* call) {
    const std::lock_guard<std::mutex> lock(picker_mutex_);
    return picker_->Pick({"/helloworld.Greeter/SayHello", nullptr, call});
  }
  bool IsAlive(uint32_t address) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return alive_.count(address) != 0;
  }

  bool CanCreate(const Backend&) override { return true; }
  grpc_connectivity_state StateOf(const Backend&) override { return GRPC_CHANNEL_IDLE; }
  void SubchannelCreated(const Backend& backend) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    alive_.insert(backend.address);
  }
  void SubchannelDestroyed(const Backend& backend) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    alive_.erase(backend.address);
  }
  void WatchStarted(std::shared_ptr<Watch> watch) override {
    watches_.push_back({std::move(watch), false});
  }
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override {
    const auto is = [&](const auto& one) { return one.first == watch; };
    watches_.erase(std::remove_if(watches_.begin(), watches_.end(), is), watches_.end());
  }
  void ConnectionRequested(const Backend&) override {}
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state, const absl::Status&, PickerPtr picker) override {
    Replace(std::move(picker));
  }
  void ReresolutionRequested() override {}
  void PolicyDestroyed() override {}
  void Misused(const std::string& what) override { ADD_FAILURE() << what; }

 private:
  void Replace(PickerPtr picker) {
    {
      const std::lock_guard<std::mutex> lock(picker_mutex_);
      std::swap(picker_, picker);
    }
    // Frees the former picker without the lock.
  }
  // Reports READY to each watch that has not got it yet.
  void Connect() {
    std::vector<std::shared_ptr<Watch>> due;
    channel_.Run([&] {
      for (auto& [watch, connected] : watches_) {
        if (!std::exchange(connected, true)) due.push_back(watch);
      }
    });
    for (const auto& watch : due) {
      channel_.Run([&] { watch->Report(GRPC_CHANNEL_READY, absl::OkStatus()); });
      if (!watch->health_watched()) continue;
      channel_.Run([&] { watch->ReportHealth(GRPC_CHANNEL_READY, absl::OkStatus()); });
    }
  }
  std::optional<uint32_t> PickedAddress() {
    {
      const std::lock_guard<std::mutex> lock(picker_mutex_);
      if (picker_ == nullptr) return std::nullopt;
    }
    FakeCallState call;
    const auto result = Pick(&call);
    const auto* complete = AlternativeOf<Complete>(result.result);
    if (complete == nullptr) return std::nullopt;
    return static_cast<const FakeSubchannel*>(complete->subchannel.get())->backend().address;
  }

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::multiset<uint32_t> alive_;
  // With whether READY was reported. Used in the work serializer only.
  std::vector<std::pair<std::shared_ptr<Watch>, bool>> watches_;
  std::mutex picker_mutex_;
  // Guarded by picker_mutex_, as gRPC's channel guards it: threads of gRPC publish pickers, too.
  PickerPtr picker_;
  FakeChannel channel_;
};

// A call that was picked. It holds what its tracker holds.
class TrackedCall {
 public:
  explicit TrackedCall(Channel& channel) {
    GrpcPolicy::PickResult result = channel.Pick(&state_);
    // As in gRPC, only the tracker outlives the pick.
    auto* complete = const_cast<Complete*>(AlternativeOf<Complete>(result.result));
    if (complete != nullptr) tracker_ = std::move(complete->subchannel_call_tracker);
  }
  bool is_tracked() const { return tracker_ != nullptr; }
  void End() {
    StartCall(tracker_.get(), 0);
    FinishCall(tracker_.get(), nullptr);
    tracker_.reset();
  }

 private:
  FakeCallState state_;
  std::unique_ptr<CallTracker> tracker_;
};

struct Tracking {
  const char* policy;
  const char* config;
  // Calls are tracked for the statistics only, not for the policy.
  bool for_statistics;
};

constexpr char kCustom[] = "tracks_all";

bool RegisterCustom() {
  return steer::Picker(kCustom).Register(steer_api_get(), [](auto&) {
    return
        [](const steer::Call&) { return steer::Choice::Complete(0, [](const steer::CallEnd&) {}); };
  }) == STEER_OK;
}

class ReleaseTest : public testing::TestWithParam<Tracking> {
 protected:
  void SetUp() override { steer::TrackCalls(GetParam().for_statistics); }
  void TearDown() override { steer::TrackCalls(false); }

  Channel channel_{GetParam().policy, GetParam().config};
};

// The call holds the last reference to the connection.
TEST_P(ReleaseTest, WaitsForTheWorkSerializer) {
  channel_.UpdateTo(1);
  TrackedCall call(channel_);
  ASSERT_TRUE(call.is_tracked());
  channel_.UpdateTo(2);
  ASSERT_TRUE(channel_.IsAlive(1));
  channel_.Run([&] {
    std::thread([&] {
      const ThreadScope scope;
      call.End();
    }).join();
    EXPECT_TRUE(channel_.IsAlive(1)) << "released while another thread is in the work serializer";
  });
  EXPECT_FALSE(channel_.IsAlive(1));
}

// The caller that ends a call may hold locks that work in the work serializer needs.
TEST_P(ReleaseTest, NeverHappensWithinTheEndOfTheCall) {
  channel_.UpdateTo(1);
  TrackedCall call(channel_);
  ASSERT_TRUE(call.is_tracked());
  channel_.UpdateTo(2);
  call.End();
  EXPECT_TRUE(channel_.IsAlive(1)) << "the work serializer ran within the end of the call";
  channel_.Drain();
  EXPECT_FALSE(channel_.IsAlive(1));
}

TEST_P(ReleaseTest, HappensAlsoAfterTheEndOfTheChannel) {
  channel_.UpdateTo(1);
  TrackedCall call(channel_);
  ASSERT_TRUE(call.is_tracked());
  channel_.Orphan();
  ASSERT_TRUE(channel_.IsAlive(1));
  call.End();
  EXPECT_TRUE(channel_.IsAlive(1));
  channel_.Drain();
  EXPECT_FALSE(channel_.IsAlive(1));
}

TEST_P(ReleaseTest, ForgetsNoConnection) {
  {
    std::vector<std::unique_ptr<TrackedCall>> calls;
    for (uint32_t i = 0; i < 10; ++i) {
      channel_.UpdateTo(i);
      for (int j = 0; j < 3; ++j) calls.push_back(std::make_unique<TrackedCall>(channel_));
    }
    // The other half is abandoned.
    for (size_t i = 0; i < calls.size(); i += 2) calls[i]->End();
  }
  channel_.Drain();
  for (uint32_t i = 0; i < 9; ++i) EXPECT_FALSE(channel_.IsAlive(i)) << i;
  EXPECT_TRUE(channel_.IsAlive(9));
}

INSTANTIATE_TEST_SUITE_P(
    Policies, ReleaseTest,
    testing::Values(
        Tracking{"steer_least_request", "{}", false}, Tracking{"steer_peak_ewma", "{}", false},
        Tracking{"steer_prequal", "{}", false}, Tracking{"steer_weighted_round_robin", "{}", false},
        Tracking{"steer_ring_hash", R"({"requestHashHeader":"user","hashBalanceFactor":150})",
                 false},
        Tracking{"steer_maglev", R"({"requestHashHeader":"user","hashBalanceFactor":150})", false},
        Tracking{kCustom, "{}", false}, Tracking{"steer_round_robin", "{}", true},
        Tracking{"steer_random", "{}", true}),
    [](const testing::TestParamInfo<Tracking>& info) { return std::string(info.param.policy); });

// A host whose serialised work waits for Turn.
class CountingHost final : public steer::host::PolicyHost {
 public:
  void Turn() {
    for (const Work& work : std::exchange(waiting_, {})) work();
  }
  size_t waiting() const { return waiting_.size(); }
  int released() const { return released_; }

 private:
  Work CallLater(uint64_t, Work) override {
    return [] {};
  }
  void Serialise(Work work) override { work(); }
  void SerialiseLater(Work work) override { waiting_.push_back(std::move(work)); }
  void Release(void*) override { ++released_; }

  std::vector<Work> waiting_;
  int released_ = 0;
};

TEST(PolicyHost, ReleasesManyConnectionsTogether) {
  const auto host = std::make_shared<CountingHost>();
  for (int i = 0; i < 1000; ++i) host->ConnectionFree(&i);
  EXPECT_EQ(host->waiting(), 1u);
  EXPECT_EQ(host->released(), 0);
  host->Turn();
  EXPECT_EQ(host->released(), 1000);
  // It also works a second time.
  host->ConnectionFree(nullptr);
  EXPECT_EQ(host->waiting(), 1u);
  host->Turn();
  EXPECT_EQ(host->released(), 1001);
}

TEST(PolicyHost, ReleasesAtOnceWithinItsSerialisedCalls) {
  const auto host = std::make_shared<CountingHost>();
  const auto other = std::make_shared<CountingHost>();
  {
    const steer::host::PolicyHost::Serialised here(host.get());
    host->ConnectionFree(nullptr);
    EXPECT_EQ(host->released(), 1);
    other->ConnectionFree(nullptr);
    EXPECT_EQ(other->released(), 0);
    {
      const steer::host::PolicyHost::Serialised nested(other.get());
      other->ConnectionFree(nullptr);
      EXPECT_EQ(other->released(), 1);
    }
    host->ConnectionFree(nullptr);
    EXPECT_EQ(host->released(), 2);
  }
  host->ConnectionFree(nullptr);
  EXPECT_EQ(host->released(), 2);
  EXPECT_EQ(host->waiting(), 1u);
  host->Turn();
  other->Turn();
}

TEST(PolicyHost, AcceptsConnectionsFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10000;
  steer::host::ReleaseQueue queue;
  int firsts = 0;
  int taken = 0;
  std::atomic<int> asked{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        if (queue.Add(nullptr)) ++asked;
      }
    });
  }
  while (taken < kThreads * kEach) {
    const int turns = asked.exchange(0);
    if (turns == 0) std::this_thread::yield();
    firsts += turns;
    if (turns != 0) queue.TakeAll([&](void*) { ++taken; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(firsts, 0);
  EXPECT_EQ(taken, kThreads * kEach);
}

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!steer_testing::RegisterCustom()) return EXIT_FAILURE;
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
