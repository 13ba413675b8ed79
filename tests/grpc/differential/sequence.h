// One sequence of events, given to two policies and compared event by event.
//
// This is where it stands what "the same" means. Each deliberate difference of docs/differences.md
// is a rule here, named by its number; nothing else may differ.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_

#include <cstdint>
#include <map>
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

// How often the reference did what; a run that misses one of them would prove little.
using Coverage = std::map<std::string, uint64_t>;

class Sequence {
 public:
  Sequence(const Setup& setup, Coverage* coverage);

  // Both return what differs, or nothing.
  std::string Step(const Event& event);
  std::string Finish();

  const World& world() const { return world_; }
  std::vector<uint32_t> FirstReportsDue() const { return a_.FirstReportsDue(); }
  // What was last compared.
  const Observation& reference() const { return seen_a_; }
  const Observation& policy() const { return seen_b_; }

 private:
  // What must be equal after an event beside what is in force.
  enum class Reports {
    kEach,       // every state report
    kLast,       // D3: whether there was one; the last one is in force
    kAfterBatch  // D1: only what is in force
  };

  void BeginEvent();
  void Translate(Observation* seen) const;
  std::string EndEvent(Reports reports);
  std::string DeliverFirstReports(uint32_t key);
  std::string Update(const Event& event);
  std::string FailReconnects(const std::vector<Backend>& addresses);
  bool Settle();
  grpc_connectivity_state StateOf(uint32_t key) const;
  std::set<uint32_t> WithNeedlessRequests() const;
  bool IsSomeLastError(const absl::Status& status) const;
  bool ReferenceHasPendingList() const;
  void NoticeLaggingReference();
  std::string CompareDiverged();
  bool IsUsable(const Backend& backend) const;
  std::set<uint32_t> UsableKeys() const;
  void Change(const StateChange& change, const std::vector<std::shared_ptr<Watch>>& earlier_a,
              const std::vector<std::shared_ptr<Watch>>& earlier_b);
  void Count(const std::string& what, uint64_t times = 1) { (*coverage_)[what] += times; }

  const bool self_test_;
  World world_;
  Coverage* const coverage_;
  Side a_;
  Side b_;
  Observation seen_a_;
  Observation seen_b_;
  bool updated_ = false;
  int max_turn_ = 1;
  // The latest address list, and the notes that came with it and those before it.
  std::vector<Backend> list_;
  std::string note_;
  // The backends whose first report waits for an event of its own.
  std::set<uint32_t> held_back_;
  // D10: the reference's new children told it of a failure that Steer's kept ones have told before.
  bool failure_told_again_ = false;
  // D11: in this event, a health check failed.
  bool health_failed_ = false;
  // The backends that had failed before this event's list and that Steer knows of.
  std::set<uint32_t> kept_failed_;
  // D14: connections that were CONNECTING when a list came, and have not changed since.
  std::set<int> silent_;
  bool ended_ = false;
  // D12, D14: one side has taken a list that the other has not.
  bool diverged_ = false;
  // The backends of the list that was the only one Steer had, the last time that it had only one.
  std::set<uint32_t> steers_list_;
  // The keys of backends that one list or another had more than once.
  std::set<uint32_t> listed_twice_;
};

// The events of one seed, and where the two policies began to differ.
struct Difference {
  std::vector<Event> events;
  std::string what;
  std::string reference;
  std::string policy;
};

// Runs given events; nothing in `what` if there is no difference.
Difference RunEvents(const Setup& setup, const std::vector<Event>& events, Coverage* coverage);
// Runs the events that the seed makes.
Difference RunSeed(Setup setup, int max_events, Coverage* coverage);
// Takes away from a difference's events what it does not need.
Difference Shrink(const Setup& setup, const Difference& difference);

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_SEQUENCE_H_
