// Gives events to both sides, and delivers to both what follows from them. See sequence.h.
#include "sequence.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace steer_testing {
namespace {

// For DeliverFirstReports: more than there ever are.
constexpr int kAll = 1 << 30;

bool Contains(const std::vector<std::shared_ptr<Watch>>& watches,
              const std::shared_ptr<Watch>& watch) {
  return std::find(watches.begin(), watches.end(), watch) != watches.end();
}

// Whether one connection serves backends of the list that differ in their attributes.
bool SharesConnection(const std::vector<Backend>& list) {
  std::map<int, uint32_t> key_of_slot;
  for (const Backend& backend : list) {
    const auto entry = key_of_slot.emplace(SlotOf(backend), backend.key()).first;
    if (entry->second != backend.key()) return true;
  }
  return false;
}

// An update whose list has each address once, and no weights of the resolver.
Event WithoutDuplicates(Event event) {
  std::set<uint32_t> seen;
  auto& list = event.addresses;
  const auto again = [&](const Backend& backend) { return !seen.insert(backend.address).second; };
  list.erase(std::remove_if(list.begin(), list.end(), again), list.end());
  for (Backend& backend : list) backend.weight = 0;
  return event;
}

}  // namespace

Sequence::Sequence(const Setup& setup, Coverage* coverage)
    : self_test_(setup.policy == setup.reference),
      reference_sorts_(setup.reference == "weighted_round_robin"),
      world_(setup.world),
      coverage_(coverage),
      a_(setup.reference, &world_, Mutation::kNone, setup.seed),
      b_(setup.policy, &world_, setup.mutation, setup.seed) {}

void Sequence::BeginEvent() {
  a_.BeginEvent();
  b_.BeginEvent();
  failure_told_again_ = false;
  in_order_ = true;
  health_failed_ = false;
  kept_failed_.clear();
}

grpc_connectivity_state Sequence::StateOf(uint32_t key) const {
  return world_.connections[static_cast<size_t>(SlotOf(Backend::OfKey(key)))].state;
}

// Does what follows from an event at once: delivers the first reports that are not held back, and
// starts the connections that were requested. Returns whether there was anything to do.
bool Sequence::Settle() {
  bool any = false;
  for (bool more = reference::kRequestsStartAtOnce; more;) {
    more = false;
    for (Side* side : {&a_, &b_}) {
      for (uint32_t key : side->FirstReportsDue()) {
        if (held_back_.count(key) != 0) continue;
        side->DeliverFirstReports(key, kAll);
        more = true;
      }
    }
    std::set<uint32_t> asked = a_.connects();
    asked.insert(b_.connects().begin(), b_.connects().end());
    for (uint32_t key : asked) {
      StateChange change;
      change.slot = SlotOf(Backend::OfKey(key));
      change.state = GRPC_CHANNEL_CONNECTING;
      if (world_.connections[static_cast<size_t>(change.slot)].state != GRPC_CHANNEL_IDLE) continue;
      Change(change, {}, {});
      more = true;
    }
    any = any || more;
  }
  NoticeLaggingReference();
  return any;
}

std::string Sequence::DeliverFirstReports(uint32_t key) {
  Count("held back first report");
  BeginEvent();
  a_.DeliverFirstReports(key, kAll);
  b_.DeliverFirstReports(key, kAll);
  held_back_.erase(key);
  Settle();
  return EndEvent(Reports::kLast);
}

void Sequence::Change(const StateChange& change,
                      const std::vector<std::shared_ptr<Watch>>& earlier_a,
                      const std::vector<std::shared_ptr<Watch>>& earlier_b) {
  world_.Apply(change);
  const bool health_alone = change.by_wrapper && reference::kPickFirstChildren;
  if (!health_alone) silent_.erase(change.slot);
  if (health_alone && change.state == GRPC_CHANNEL_TRANSIENT_FAILURE) health_failed_ = true;
  const Connection connection = world_.connections[static_cast<size_t>(change.slot)];
  auto deliver = [&](Side* side, std::vector<std::shared_ptr<Watch>> watches) {
    // D2: in the order in which they began, so that the watches of the current list get the report
    // before those of the pending one.
    for (auto& watch : side->WatchesOf(change.slot)) {
      if (!Contains(watches, watch)) watches.push_back(std::move(watch));
    }
    if (side == &a_ && std::any_of(watches.begin(), watches.end(),
                                   [](const auto& watch) { return watch->cancelled(); })) {
      Count("late report");
    }
    if (side == &a_ && watches.size() > 1) Count("several watches of one backend");
    side->Deliver(watches, connection, health_alone);
  };
  deliver(&a_, earlier_a);
  deliver(&b_, earlier_b);
}

// D10: a kept pick_first child that has failed reports nothing until it is READY or fails again,
// while a new child would report CONNECTING. So connection attempts fail before the next list.
std::string Sequence::FailReconnects(const std::vector<Backend>& addresses) {
  if (!reference::kPickFirstChildren) return "";
  for (const Backend& backend : addresses) {
    StateChange change;
    change.slot = SlotOf(backend);
    change.state = GRPC_CHANNEL_TRANSIENT_FAILURE;
    change.status = 1;
    const Connection& connection = world_.connections[static_cast<size_t>(change.slot)];
    if (!connection.failed || connection.state != GRPC_CHANNEL_CONNECTING) continue;
    if (!b_.HasSubchannelOf(change.slot)) continue;
    Count("reconnect that fails before an update");
    BeginEvent();
    Change(change, {}, {});
    Settle();
    const std::string difference = EndEvent(Reports::kLast);
    if (!difference.empty()) return difference;
  }
  return "";
}

// Before a list: delivers the first reports that must not wait any longer. Returns what differs.
std::string Sequence::DeliverFirstReportsBefore(const Event& event) {
  // D1: which of several equal endpoints Steer keeps, one that has reported or one that has not, is
  // not defined. So the first report of a backend that is listed twice does not wait.
  std::set<uint32_t> keys;
  for (const Backend& backend : event.addresses) {
    if (!keys.insert(backend.key()).second) listed_twice_.insert(backend.key());
  }
  // D14: others do not wait if the reference would wait for them and Steer would use the list.
  for (uint32_t key : a_.FirstReportsDue()) {
    if (listed_twice_.count(key) == 0 && !reference::kSwapWaitsForAllReports) continue;
    const std::string difference = DeliverFirstReports(key);
    if (!difference.empty()) return difference;
  }
  return "";
}

// Notes what an update brings, before the sides get it.
void Sequence::NoteUpdate(const Event& event, bool first_list) {
  std::set<uint32_t> keys;
  for (const Backend& backend : event.addresses) keys.insert(backend.key());
  for (uint32_t key : a_.FirstReportsDue()) {
    if (keys.count(key) != 0) Count("listed again before its first report");
  }
  // An error leaves the current list in use. Without a list, it acts as an empty one.
  if (event.error == 0 || first_list) list_ = event.addresses;
  max_turn_ = std::max(max_turn_, static_cast<int>(event.addresses.size()));
  Count(event.error != 0          ? "resolver error"
        : event.addresses.empty() ? "empty list"
                                  : "address list");
}

// Notes the connections whose state matters for what the sides may do with this update.
void Sequence::NoteConnections(const Event& event) {
  if (reference::kPickFirstChildren) {
    for (const Backend& backend : event.addresses) {
      if (StateOf(backend.key()) == GRPC_CHANNEL_CONNECTING) silent_.insert(SlotOf(backend));
    }
  }
  if (reference::kFailedConnectionsWait) {
    for (const auto& entry : b_.live()) {
      if (StateOf(entry.first) == GRPC_CHANNEL_TRANSIENT_FAILURE) kept_failed_.insert(entry.first);
    }
  }
}

// D1: where one side has kept a subchannel and the other has made a new one, delivers the first
// report to the latter at once. gRPC does not define the order of first reports of different
// subchannels. Steer knows the states of kept endpoints during the update, unless they have not
// reported yet. Returns whether there were such reports.
bool Sequence::DeliverSurplus(const std::vector<uint32_t>& due_before) {
  const std::vector<uint32_t> due_a = a_.FirstReportsDue();
  const std::vector<uint32_t> due_b = b_.FirstReportsDue();
  std::map<uint32_t, int> surplus_of_a;
  for (uint32_t key : due_a) ++surplus_of_a[key];
  for (uint32_t key : due_b) --surplus_of_a[key];
  for (uint32_t key : due_before) surplus_of_a[key] = 0;
  bool any = false;
  auto deliver = [&](Side* side, const std::vector<uint32_t>& due, int sign) {
    for (uint32_t key : due) {
      int& surplus = surplus_of_a[key];
      if (surplus * sign <= 0) continue;
      if (reference::kPickFirstChildren && side == &a_ &&
          StateOf(key) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
        failure_told_again_ = true;
      }
      side->DeliverFirstReports(key, 1);
      surplus -= sign;
      any = true;
      Count("kept endpoint");
    }
  };
  deliver(&a_, due_a, 1);
  deliver(&b_, due_b, -1);
  return any;
}

// Delivers the first reports that both sides wait for, except those that the event holds back.
// Returns whether there were any.
bool Sequence::DeliverShared(const Event& event, bool first_list) {
  // D4: none is held back while different subchannels share a connection. gRPC does not define
  // which of them gets a change first, and an intermediate state may last until all have reported.
  // D14: in later gRPC versions only those of the first list are held back.
  const bool hold_back =
      !SharesConnection(event.addresses) && (first_list || !reference::kSwapWaitsForAllReports);
  bool any = false;
  for (uint32_t key : a_.FirstReportsDue()) {
    if (hold_back && (event.held_back >> Backend::OfKey(key).address & 1) != 0) {
      held_back_.insert(key);
      continue;
    }
    a_.DeliverFirstReports(key, kAll);
    b_.DeliverFirstReports(key, kAll);
    any = true;
  }
  return any;
}

std::string Sequence::Update(const Event& event) {
  std::string difference = DeliverFirstReportsBefore(event);
  if (difference.empty()) difference = FailReconnects(event.addresses);
  if (!difference.empty()) return difference;
  const std::vector<uint32_t> due_before = a_.FirstReportsDue();
  const bool first_list = !updated_;
  updated_ = true;
  NoteUpdate(event, first_list);
  std::vector<std::vector<std::shared_ptr<Watch>>> earlier_a;
  std::vector<std::vector<std::shared_ptr<Watch>>> earlier_b;
  for (const StateChange& change : event.late) {
    earlier_a.push_back(a_.WatchesOf(change.slot));
    earlier_b.push_back(b_.WatchesOf(change.slot));
  }

  BeginEvent();
  held_back_.clear();
  NoteConnections(event);
  const ResolverUpdate update = event.ToResolverUpdate();
  a_.Update(update);
  b_.Update(update);
  NoteOrder();

  bool batch = DeliverSurplus(due_before);
  batch = DeliverShared(event, first_list) || batch;
  batch = Settle() || batch;
  for (size_t i = 0; i < event.late.size(); ++i) {
    const StateChange& change = event.late[i];
    if (!world_.IsLegal(change)) continue;
    Change(change, earlier_a[i], earlier_b[i]);
    batch = Settle() || batch;
  }
  return EndEvent(batch ? Reports::kAfterBatch : Reports::kLast);
}

std::string Sequence::Step(const Event& event) {
  // A channel calls a policy only after its first update.
  if (!updated_ && event.kind != Event::kUpdate) return "";
  switch (event.kind) {
    case Event::kUpdate:
      return Update(reference_sorts_ ? WithoutDuplicates(event) : event);
    case Event::kFirstReport:
      return DeliverFirstReports(event.key);
    case Event::kStateChange: {
      if (!world_.IsLegal(event.change)) return "";
      Count("connectivity change");
      BeginEvent();
      Change(event.change, {}, {});
      Settle();
      const bool several = a_.delivered() > 1 || b_.delivered() > 1;
      return EndEvent(several ? Reports::kLast : Reports::kEach);
    }
    case Event::kForget: {
      const int slot = static_cast<int>(event.key);
      if (!a_.HasSubchannelOf(slot) && !b_.HasSubchannelOf(slot)) {
        world_.connections[event.key] = Connection();
      }
      return "";
    }
    case Event::kExitIdle:
      BeginEvent();
      a_.channel().ExitIdle();
      b_.channel().ExitIdle();
      return EndEvent(Reports::kEach);
    case Event::kResetBackoff:
      Count("backoff reset");
      BeginEvent();
      a_.channel().ResetBackoff();
      b_.channel().ResetBackoff();
      return EndEvent(Reports::kEach);
    case Event::kPicks:
      BeginEvent();
      a_.Picks(static_cast<int>(event.key));
      b_.Picks(static_cast<int>(event.key));
      return EndEvent(Reports::kEach);
    case Event::kKinds:
      break;
  }
  return "unknown event";
}

std::string Sequence::Finish() {
  BeginEvent();
  std::string difference;
  {
    const std::vector<std::shared_ptr<Watch>> watches_a = a_.Watches();
    const std::vector<std::shared_ptr<Watch>> watches_b = b_.Watches();
    if (!world_.picker_outlives_policy) {
      a_.DropPicker();
      b_.DropPicker();
    }
    a_.channel().Orphan();
    b_.channel().Orphan();
    ended_ = true;
    // Reports that were under way arrive after the policy's end.
    for (grpc_connectivity_state state : {GRPC_CHANNEL_READY, GRPC_CHANNEL_TRANSIENT_FAILURE,
                                          GRPC_CHANNEL_IDLE, GRPC_CHANNEL_CONNECTING}) {
      Connection connection;
      connection.state = state;
      connection.status = state == GRPC_CHANNEL_TRANSIENT_FAILURE ? 1 : 0;
      a_.Deliver(watches_a, connection);
      b_.Deliver(watches_b, connection);
    }
    difference = EndEvent(Reports::kEach);
  }
  if (!difference.empty()) return absl::StrCat("after the policy's end: ", difference);
  a_.DropPicker();
  b_.DropPicker();
  auto leaks = [](const Side& side, const char* name) -> std::string {
    if (side.live_subchannels() == 0 && side.live_watches() == 0 && !side.policy_alive()) return "";
    return absl::StrCat("left by the ", name, ": ", side.live_subchannels(), " subchannels, ",
                        side.live_watches(), " watches, ", side.policy_alive() ? "the" : "no",
                        " policy ");
  };
  return absl::StrCat(leaks(a_, "reference"), leaks(b_, "policy"));
}

}  // namespace steer_testing
