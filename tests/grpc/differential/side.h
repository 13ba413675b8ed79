// One policy under test with everything that can be observed of it from the channel's side.
//
// Knows nothing of the other side, and judges nothing except misuse of gRPC's interfaces.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_SIDE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_SIDE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fake_channel.h"
#include "model.h"

namespace steer_testing {

// A deliberate fault, put between a policy and its observer, to show that the comparison would
// notice it.
enum class Mutation {
  kNone,
  kDropReport,          // a state report with its picker gets lost
  kDropStateChange,     // the policy never hears of a connectivity report
  kDropConnect,         // a connection request gets lost
  kDropReresolution,    // a request to resolve again gets lost
  kDropResetBackoff,    // a backoff reset gets lost
  kChangeStatus,        // a failure is reported with another message
  kChangeUpdateStatus,  // UpdateLocked returns another status
  kRepeatPick,          // one backend is picked twice in a row
  kKeepSubchannel,      // a subchannel is never let go
};

struct Observation {
  // What happened during the event.
  int reports = 0;
  bool reresolution = false;
  std::set<uint32_t> connects;
  std::set<uint32_t> backoff_resets;
  absl::Status update_status;
  // How many connectivity reports the policy got.
  int delivered = 0;
  // What is in force after it.
  grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
  absl::Status status;
  bool has_picker = false;
  PickOutcome::Kind pick_kind = PickOutcome::kQueue;
  absl::Status pick_status;
  // One turn of the rotation, beginning with its least element, so that two pickers which began at
  // different backends compare equal. An element is twice a backend's key, plus kWatched if the
  // policy still watches the subchannel that was picked.
  static constexpr uint64_t kWatched = 1;
  std::vector<uint64_t> rotation;
  std::set<uint32_t> live;
  std::set<uint32_t> watched;
  std::vector<std::string> misuse;

  std::string ToString() const;
};

class Side final : public ChannelHost {
 public:
  Side(const std::string& policy_name, const World* world, Mutation mutation, uint64_t seed);
  ~Side() override;

  FakeChannel& channel() { return channel_; }

  // Forgets what the last event caused.
  void BeginEvent();
  void Update(const ResolverUpdate& update);
  void Picks(int count);

  // The watches of a connection, those begun first in front.
  std::vector<std::shared_ptr<Watch>> WatchesOf(int slot) const;
  std::vector<std::shared_ptr<Watch>> Watches() const;
  std::set<uint32_t> WatchedKeys() const;
  // The keys of the watches that still wait for their first report, in the order in which they
  // began.
  std::vector<uint32_t> FirstReportsDue() const;
  // Delivers the first reports of up to `count` watches of this backend.
  void DeliverFirstReports(uint32_t key, int count);
  // Tells these watches what their connection has become, after their first report if that has not
  // come yet; with `health_alone`, only those hear of it that watch the connection's health.
  void Deliver(const std::vector<std::shared_ptr<Watch>>& watches, const Connection& connection,
               bool health_alone = false);
  // A watch that was cancelled before its first report came gets that now, too late.
  void DeliverOrphanedFirstReports();

  bool HasSubchannelOf(int slot) const;
  void DropPicker();

  // `max_turn` is the greatest number of backends that a rotation may have.
  Observation Observe(int max_turn);

  // How many connectivity reports the policy got during this event.
  int delivered() const { return now_.delivered; }
  // What has happened in this event so far, and what is in force now.
  const std::set<uint32_t>& connects() const { return now_.connects; }
  bool has_picker() const { return picker_ != nullptr; }
  grpc_connectivity_state state() const { return state_; }
  const absl::Status& status() const { return status_; }
  const std::map<uint32_t, int>& live() const { return live_; }
  int live_subchannels() const { return live_count_; }
  int live_watches() const { return static_cast<int>(watches_.size()); }
  bool policy_alive() const { return policy_alive_; }

  // ChannelHost:
  bool CanCreate(const Backend& backend) override;
  grpc_connectivity_state StateOf(const Backend& backend) override;
  void SubchannelCreated(const Backend& backend) override;
  void SubchannelDestroyed(const Backend& backend) override;
  void WatchStarted(std::shared_ptr<Watch> watch) override;
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override;
  void ConnectionRequested(const Backend& backend) override;
  void BackoffReset(const Backend& backend) override;
  void StateReported(grpc_connectivity_state state, const absl::Status& status,
                     PickerPtr picker) override;
  void ReresolutionRequested() override;
  void PolicyDestroyed() override;
  void Misused(const std::string& what) override;

 private:
  struct FirstReport {
    std::shared_ptr<Watch> watch;
    Connection report;
  };

  // Whether the fault happens now.
  bool Mutate(Mutation mutation);
  void DeliverOne(Watch& watch, const Connection& connection, bool health_alone = false);

  const World* const world_;
  const Mutation mutation_;
  std::mt19937 mutation_rng_;
  Observation now_;
  // What the policy reported last.
  grpc_connectivity_state state_ = GRPC_CHANNEL_IDLE;
  absl::Status status_;
  PickerPtr picker_;
  // What the present picker picked so far, as far back as is needed to see a whole turn.
  std::vector<uint64_t> picked_;
  std::vector<std::shared_ptr<Watch>> watches_;
  std::vector<FirstReport> first_reports_;
  std::map<uint32_t, int> live_;
  int live_count_ = 0;
  bool policy_alive_ = true;
  std::shared_ptr<Watch> kept_;
  FakeChannel channel_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_SIDE_H_
