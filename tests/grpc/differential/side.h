// One policy under test, with everything that a channel can observe of it.
//
// Must not depend on: the other side. It judges nothing except misuse of gRPC's interfaces.

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

// A deliberate fault between a policy and its observer. It shows that the comparison would notice
// such a fault.
enum class Mutation {
  kNone,
  kDropReport,          // a state report with its picker is lost
  kDropStateChange,     // a connectivity report does not reach the policy
  kDropConnect,         // a connection request is lost
  kDropReresolution,    // a request to resolve again is lost
  kDropResetBackoff,    // a backoff reset is lost
  kChangeStatus,        // a failure is reported with another message
  kChangeUpdateStatus,  // UpdateLocked returns another status
  kRepeatPick,          // one backend is picked twice in a row
  kKeepSubchannel,      // a subchannel is never released
};

struct Observation {
  // What happened during the event.
  int reports = 0;
  bool reresolution = false;
  std::set<uint32_t> connects;
  std::set<uint32_t> backoff_resets;
  // The backends of new subchannels, in the order in which they were made.
  std::vector<uint32_t> made;
  absl::Status update_status;
  // How many connectivity reports the policy got.
  int delivered = 0;
  // What is in force after it.
  grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
  absl::Status status;
  bool has_picker = false;
  PickOutcome::Kind pick_kind = PickOutcome::kQueue;
  absl::Status pick_status;
  // One turn of the rotation, starting with its least element, so that two pickers that start at
  // different backends compare equal. An element is twice a backend's key, plus kWatched if the
  // policy still watches the picked subchannel.
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

  // The watches of a connection, in the order in which they began.
  std::vector<std::shared_ptr<Watch>> WatchesOf(int slot) const;
  std::vector<std::shared_ptr<Watch>> Watches() const;
  std::set<uint32_t> WatchedKeys() const;
  // The keys of the watches that still wait for their first report, in the order in which they
  // began.
  std::vector<uint32_t> FirstReportsDue() const;
  // Delivers the first reports of up to `count` watches of this backend.
  void DeliverFirstReports(uint32_t key, int count);
  // Reports the connection to these watches, after their first report if that was not delivered
  // yet. With `health_alone`, reports only to those that watch the connection's health.
  void Deliver(const std::vector<std::shared_ptr<Watch>>& watches, const Connection& connection,
               bool health_alone = false);
  // Delivers, too late, the first reports of watches that were cancelled before their first report.
  void DeliverOrphanedFirstReports();

  bool HasSubchannelOf(int slot) const;
  void DropPicker();

  // Picks until the rotation shows, and returns what was observed. `max_turn` is the largest number
  // of picks that one turn may have.
  Observation Observe(int max_turn);

  // How many connectivity reports the policy got during this event.
  int delivered() const { return now_.delivered; }
  // What happened in this event so far, and what is in force now.
  const std::set<uint32_t>& connects() const { return now_.connects; }
  const std::vector<uint32_t>& made() const { return now_.made; }
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

  // Whether to inject the fault now.
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
  // What the current picker has picked, as far back as it takes to see a whole turn.
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
