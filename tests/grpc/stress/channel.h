// A fake channel under stress: backends come, go and change their states at random, as fast as the
// policy handles it, while other threads pick with the current picker.
//
// Must not depend on: any policy, which threads there are.
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

// A policy, and the configs of its updates, which are used one after another.
struct Stressed {
  const char* policy;
  std::vector<const char*> configs;
};

// Counts of what has happened. Read it when no thread uses the channel any more.
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
  // All results of picks must have been destroyed.
  ~StressedChannel() override;

  // Makes one random event. Any thread.
  void Step();
  // Shuts the policy down.
  void Orphan();

  // Runs what this thread has scheduled in the work serializer.
  void Flush();
  // Runs everything that was scheduled there.
  void Drain();

  // The latest picker; null before the first. The last reference frees it, on any thread. Any
  // thread.
  SharedPicker picker();

  // Checks that a pick may choose this one. Any thread.
  void Picked(const FakeSubchannel& subchannel);

  // Makes an update without the serializer's lock: a planted race.
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
  // The following are guarded by the serializer's lock.
  int made_ = 0;
  std::mt19937_64 random_;
  ResolverUpdate list_;
  std::vector<std::shared_ptr<Watch>> watches_;
  // Cancelled watches that still get a report.
  std::deque<std::shared_ptr<Watch>> late_;
  std::unique_ptr<FakeChannel> channel_;
  // Channels that have ended. Each owns its work serializer, so that the last owner is not gRPC's
  // part of the policy, whose reference counts ThreadSanitizer does not see. They may still have
  // running calls.
  std::vector<std::unique_ptr<FakeChannel>> ended_;

  std::mutex picker_lock_;
  // Guarded by picker_lock_.
  SharedPicker picker_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_STRESS_CHANNEL_H_
