// One sequence of events, given to two policies and compared event by event.
//
// sequence.cc gives the events, comparison.cc compares. Together they define what "the same" means:
// each deliberate difference of docs/differences.md is a rule there, named by its number, and
// nothing else may differ. runs.h runs whole sequences.
#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model.h"
#include "side.h"

namespace steer_testing {

struct Setup {
  std::string reference;
  std::string policy;
  Mutation mutation = Mutation::kNone;
  uint64_t seed = 0;
  World world;
};

// How often the reference did what. A run in which it never did one of them proves little.
using Coverage = std::map<std::string, uint64_t>;

class Sequence {
 public:
  Sequence(const Setup& setup, Coverage* coverage);

  // Both return what differs. Empty: nothing.
  std::string Step(const Event& event);
  std::string Finish();

  const World& world() const { return world_; }
  std::vector<uint32_t> FirstReportsDue() const { return a_.FirstReportsDue(); }
  // What was compared last.
  const Observation& reference() const { return seen_a_; }
  const Observation& policy() const { return seen_b_; }

 private:
  // What must be equal after an event, besides the state and the picker in force.
  enum class Reports {
    kEach,       // every state report
    kLast,       // D3: whether there was one
    kAfterBatch  // D1: nothing
  };
  class Differences;

  // sequence.cc
  void BeginEvent();
  std::string DeliverFirstReports(uint32_t key);
  std::string Update(const Event& event);
  std::string DeliverFirstReportsBefore(const Event& event);
  void NoteUpdate(const Event& event, bool first_list);
  void NoteConnections(const Event& event);
  bool DeliverSurplus(const std::vector<uint32_t>& due_before);
  bool DeliverShared(const Event& event, bool first_list);
  std::string FailReconnects(const std::vector<Backend>& addresses);
  bool Settle();
  grpc_connectivity_state StateOf(uint32_t key) const;
  void Change(const StateChange& change, const std::vector<std::shared_ptr<Watch>>& earlier_a,
              const std::vector<std::shared_ptr<Watch>>& earlier_b);

  // comparison.cc
  std::string EndEvent(Reports reports);
  bool AllowSilentReference();
  bool AllowSilentChild(Reports* reports);
  void CountObserved();
  void CompareInForce(Reports reports, bool silent, Differences* differences);
  void CompareRequests(bool diverged, bool stale, Differences* differences);
  std::string CompareDiverged();
  void NoticeLaggingReference();
  std::set<uint32_t> WithNeedlessRequests() const;
  std::optional<std::string> BehindSomeLastError(const absl::Status& status) const;
  void AllowOtherLastError(absl::Status* reference, const absl::Status& steer) const;
  bool ReferenceHasPendingList() const;
  void NoteOrder();
  bool IsInOrder(const std::vector<uint32_t>& made, bool from_first) const;
  bool IsUsable(const Backend& backend) const;
  std::set<uint32_t> UsableKeys() const;
  void Count(const std::string& what, uint64_t times = 1) { (*coverage_)[what] += times; }

  const bool self_test_;
  // weighted_round_robin sorts each list and takes each address of it once. So lists have none
  // twice, and neither the order of connects nor that of picks is compared. Lists have no weights
  // either, which Steer would use.
  const bool reference_sorts_;
  World world_;
  Coverage* const coverage_;
  Side a_;
  Side b_;
  Observation seen_a_;
  Observation seen_b_;
  bool updated_ = false;
  int max_turn_ = 1;
  // The latest address list.
  std::vector<Backend> list_;
  // The backends whose first report waits for a separate event.
  std::set<uint32_t> held_back_;
  // D10: the reference's new children reported a failure that Steer's kept children had reported
  // before.
  bool failure_told_again_ = false;
  // D17: the update of this event has made subchannels in the order of its list.
  bool in_order_ = true;
  // D11: a health check failed in this event.
  bool health_failed_ = false;
  // The backends that had failed before this event's list and that Steer has a subchannel of.
  std::set<uint32_t> kept_failed_;
  // D14: the connections that were CONNECTING when a list came and have not changed since.
  std::set<int> silent_;
  bool ended_ = false;
  // D12, D14: one side uses a list that the other does not use.
  bool diverged_ = false;
  // The backends of Steer's list when it last had only one list.
  std::set<uint32_t> steers_list_;
  // The keys of backends that any list had more than once.
  std::set<uint32_t> listed_twice_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_
