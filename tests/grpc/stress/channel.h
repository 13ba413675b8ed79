// A fake channel under stress: backends that come, go and change their states at random, as fast as
// the policy takes it, while other threads pick with whatever picker there is.
//
// Must not know: any policy, which threads there are.
#ifndef STEER_TESTS_GRPC_STRESS_CHANNEL_H_
#define STEER_TESTS_GRPC_STRESS_CHANNEL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "differential/fake_channel.h"

namespace steer_testing {

// A policy and the configs that its updates come with, one after another.
struct Stressed {
  const char* policy;
  std::vector<const char*> configs;
};

// What has happened; to be looked at when no thread is in it any more.
struct Tally {
  std::atomic<uint64_t> picks{0};
  std::atomic<uint64_t> completed{0};
  std::atomic<uint64_t> tracked{0};
  std::atomic<uint64_t> statistics{0};
  std::atomic<uint64_t> pickers{0};
  std::atomic<uint64_t> reports{0};
  std::atomic<uint64_t> updates{0};
};

class StressedChannel final : public ChannelHost {
 public:
  using SharedPicker = std::shared_ptr<PickerPtr>;

  StressedChannel(const Stressed& stressed, uint64_t seed, Tally* tally);
  // All that picks led to must be gone.
  ~StressedChannel() override;

  // One event at random. Any thread.
  void Step();
  // Shuts the policy down.
  void Orphan();

  // Lets what this thread has scheduled in the work serializer happen.
  void Flush();
  // Lets everything that was scheduled there happen.
  void Drain();

  // The latest picker; none before the first. Whoever lets go of it last frees it. Any thread.
  SharedPicker picker();

  // A pick has chosen this one. Any thread.
  void Picked(const FakeSubchannel& subchannel);

  // An update without the serializer's lock.
  void UpdateUnlocked();

  bool CanCreate(const Backend& backend) override { return backend.address % 16 != 15; }
  grpc_connectivity_state StateOf(const Backend&) override { return GRPC_CHANNEL_IDLE; }
  void SubchannelCreated(const Backend&) override { ++alive_; }
  void SubchannelDestroyed(const Backend&) override;
  void WatchStarted(std::shared_ptr<Watch> watch) override;
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override;
  void ConnectionRequested(const Backend&) override {}
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state state, const absl::Status& status,
                     PickerPtr picker) override;
  void ReresolutionRequested() override {}
  void PolicyDestroyed() override { ++destroyed_; }
  void Misused(const std::string& what) override;

 private:
  void Make();
  void Report();
  void ReportLate();
  void Update();
  void Configure();
  void ChangeList();
  uint32_t Random(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  const Stressed stressed_;
  Tally* const tally_;
  std::atomic<int64_t> alive_{0};
  std::atomic<int> destroyed_{0};
  std::atomic<bool> is_serialised_{true};
  // Under the serializer's lock, as is what follows.
  int made_ = 0;
  std::mt19937_64 random_;
  ResolverUpdate list_;
  std::vector<std::shared_ptr<Watch>> watches_;
  // Cancelled, and a report is still on its way.
  std::deque<std::shared_ptr<Watch>> late_;
  std::unique_ptr<FakeChannel> channel_;
  // Those that have ended, each an owner of its work serializer: so the last one is not gRPC's part
  // of the policy, whose reference counts ThreadSanitizer does not see. Calls of them may still be
  // under way.
  std::vector<std::unique_ptr<FakeChannel>> ended_;

  std::mutex picker_lock_;
  // Guarded by it.
  SharedPicker picker_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_STRESS_CHANNEL_H_
