// See sequence.h.

#include "sequence.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace steer_testing {
namespace {

constexpr int kAll = 1 << 30;

bool Contains(const std::vector<std::shared_ptr<Watch>>& watches,
              const std::shared_ptr<Watch>& watch) {
  return std::find(watches.begin(), watches.end(), watch) != watches.end();
}

// D6, D7: what both sides can say: code and message, with U+FFFD in the place of each byte that is
// not UTF-8. The bytes of this test that are not are those that never occur in UTF-8.
absl::Status Plain(const absl::Status& status) {
  std::string text;
  for (char c : status.message()) {
    if (static_cast<unsigned char>(c) >= 0xf8) {
      text += "\xef\xbf\xbd";
    } else {
      text += c;
    }
  }
  return absl::Status(status.code(), text);
}

// D1: the same picks, of backends that the policy has kept and watches still.
std::vector<uint64_t> AllWatched(std::vector<uint64_t> rotation) {
  for (uint64_t& pick : rotation) pick |= Observation::kWatched;
  return rotation;
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

}  // namespace

Sequence::Sequence(const Setup& setup, Coverage* coverage)
    : self_test_(setup.policy == setup.reference),
      world_(setup.world),
      coverage_(coverage),
      a_(setup.reference, &world_, Mutation::kNone, setup.seed),
      b_(setup.policy, &world_, setup.mutation, setup.seed) {}

void Sequence::BeginEvent() {
  a_.BeginEvent();
  b_.BeginEvent();
  failure_told_again_ = false;
  health_failed_ = false;
  kept_failed_.clear();
}

grpc_connectivity_state Sequence::StateOf(uint32_t key) const {
  return world_.connections[static_cast<size_t>(SlotOf(Backend::OfKey(key)))].state;
}

// D16: Steer's connection requests, and those of the reference's that need no like of it where a
// failed connection is asked to connect again at once.
std::set<uint32_t> Sequence::WithNeedlessRequests() const {
  std::set<uint32_t> connects = seen_b_.connects;
  if (!reference::kFailedConnectionsWait) return connects;
  for (uint32_t key : seen_a_.connects) {
    // A new list asks again for what Steer has asked for before; and the backend may leave with the
    // list that this very failure ends.
    if (kept_failed_.count(key) != 0 || seen_a_.watched.count(key) == 0) connects.insert(key);
  }
  return connects;
}

// What follows from an event at once: the first reports of watches that nobody holds back, and
// connections that begin because they were asked for. Returns whether anything did.
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

bool Sequence::IsUsable(const Backend& backend) const {
  return (world_.unusable >> backend.address & 1) == 0;
}

std::set<uint32_t> Sequence::UsableKeys() const {
  std::set<uint32_t> keys;
  for (const Backend& backend : list_) {
    if (IsUsable(backend) && !ended_) keys.insert(backend.key());
  }
  return keys;
}

// Whether the reference has a pending list.
bool Sequence::ReferenceHasPendingList() const {
  int usable = 0;
  for (const Backend& backend : list_) usable += IsUsable(backend) ? 1 : 0;
  // It has a watch for each address of both lists; of an empty list one knows by what it says.
  const bool uses_empty_list =
      a_.state() == GRPC_CHANNEL_TRANSIENT_FAILURE &&
      !absl::StartsWith(a_.status().message(), "connections to all backends failing");
  return a_.live_watches() > usable || (usable > 0 && uses_empty_list);
}

// D12, D14: notices when the reference holds on to its list while Steer takes the pending one.
void Sequence::NoticeLaggingReference() {
  if (self_test_ || diverged_) return;
  if (!reference::kKeepsUselessList && !reference::kSwapWaitsForAllReports) return;
  if (!ReferenceHasPendingList()) return;
  const bool pending_is_ready =
      std::any_of(list_.begin(), list_.end(), [&](const Backend& backend) {
        const Connection& connection = world_.connections[static_cast<size_t>(SlotOf(backend))];
        return IsUsable(backend) && connection.state == GRPC_CHANNEL_READY &&
               connection.health == GRPC_CHANNEL_READY;
      });
  // A list of no use is given up at the next report of the pending one, by Steer and mostly by the
  // reference, too.
  const bool may_keep_useless = (reference::kKeepsUselessList || reference::kPickFirstChildren) &&
                                (a_.state() != GRPC_CHANNEL_READY || !silent_.empty());
  diverged_ = pending_is_ready || (may_keep_useless && b_.WatchedKeys() == UsableKeys());
}

// D12, D14: from the moment at which only one side has taken a pending list until both have no
// other than the latest one. What can still be said is that Steer has that one, and beside it at
// most the one that it had taken before.
std::string Sequence::CompareDiverged() {
  Count("use different lists");
  const std::set<uint32_t>& watched = seen_b_.watched;
  const std::set<uint32_t> latest = UsableKeys();
  std::set<uint32_t> possible = latest;
  possible.insert(steers_list_.begin(), steers_list_.end());
  std::vector<std::string> differences;
  if (!std::includes(watched.begin(), watched.end(), latest.begin(), latest.end()) ||
      !std::includes(possible.begin(), possible.end(), watched.begin(), watched.end())) {
    differences.push_back("watched subchannels beside the latest list's");
  }
  if (!std::includes(seen_b_.live.begin(), seen_b_.live.end(), watched.begin(), watched.end())) {
    differences.push_back("live subchannels");
  }
  if (!seen_a_.misuse.empty() || !seen_b_.misuse.empty()) differences.push_back("misuse");
  return absl::StrJoin(differences, ", ");
}

// D15: whether this names the failure of some backend of the latest list as the last one.
bool Sequence::IsSomeLastError(const absl::Status& status) const {
  if (!reference::kPickFirstChildren) return false;
  absl::string_view text = status.message();
  if (!absl::ConsumePrefix(&text, "connections to all backends failing")) return false;
  absl::ConsumePrefix(&text, "; last error: ");
  return std::any_of(list_.begin(), list_.end(), [&](const Backend& backend) {
    const int number = world_.connections[static_cast<size_t>(SlotOf(backend))].last_failure;
    const absl::Status failure = StatusNumber(number);
    // A child's own failure, or its health check's.
    return number != 0 && (text == Plain(absl::UnknownError(failure.ToString())).message() ||
                           text == Plain(failure).message() || text == failure.ToString() ||
                           text == failure.message());
  });
}

// D13.
void Sequence::Translate(Observation* seen) const {
  seen->status = reference::InWordsOf1_51(seen->status, Notes());
  seen->pick_status = reference::InWordsOf1_51(seen->pick_status, Notes());
  seen->update_status = reference::InWordsOf1_51(seen->update_status, {});
  // What an update returns has no note.
  if (reference::kPickFirstChildren && seen->update_status.message() == "empty address list: ") {
    seen->update_status = absl::Status(seen->update_status.code(),
                                       absl::StrCat(seen->update_status.message(), note_));
  }
}

std::string Sequence::EndEvent(Reports reports) {
  a_.DeliverOrphanedFirstReports();
  b_.DeliverOrphanedFirstReports();
  seen_a_ = a_.Observe(max_turn_);
  seen_b_ = b_.Observe(max_turn_);
  const Observation& b = seen_b_;
  const bool has_latest_list_alone = b.watched == UsableKeys();
  const bool diverged_until_now = diverged_;
  if (diverged_) {
    diverged_ = ended_ || ReferenceHasPendingList() || !has_latest_list_alone;
    if (diverged_) {
      const std::string differences = CompareDiverged();
      if (has_latest_list_alone) steers_list_ = b.watched;
      return differences;
    }
    reports = Reports::kAfterBatch;
  }
  if (has_latest_list_alone) steers_list_ = b.watched;
  // D9.
  Observation& a = seen_a_;
  const bool silent = reference::kMaySayNothingAtFirst && !a.has_picker && b.has_picker;
  if (silent) {
    Count("reference says nothing");
    a.has_picker = true;
    a.state = GRPC_CHANNEL_CONNECTING;
  }
  // D14: with a child that has said nothing yet, one may have to leave in force what there was.
  const bool silent_child =
      !self_test_ && std::any_of(list_.begin(), list_.end(), [&](const Backend& backend) {
        return silent_.count(SlotOf(backend)) != 0;
      });
  const bool stale = silent_child && (b.state == GRPC_CHANNEL_CONNECTING || b.reports == 0 ||
                                      reports != Reports::kEach);
  if (stale) {
    Count("a silent child");
    if (!ended_) reports = Reports::kAfterBatch;
    a.has_picker = b.has_picker;
    a.state = b.state;
    a.status = b.status;
    a.pick_kind = b.pick_kind;
    a.pick_status = b.pick_status;
    a.rotation = b.rotation;
  }
  Translate(&a);
  if (self_test_) Translate(&seen_b_);

  if (a.reports > 0) Count(absl::StrCat("reported ", StateName(a.state)));
  if (a.reresolution) Count("re-resolution");
  if (!a.connects.empty()) Count("connection request");
  if (a.rotation.size() > 1) Count("rotation of several");

  std::vector<std::string> differences;
  auto check = [&](bool same, const char* what) {
    if (!same) differences.push_back(what);
  };
  const bool both_silent = reference::kMaySayNothingAtFirst && !a.has_picker && !b.has_picker;
  check(a.has_picker == b.has_picker && (a.state == b.state || both_silent), "state in force");
  if (IsSomeLastError(a.status) && IsSomeLastError(b.status)) a.status = b.status;
  if (IsSomeLastError(a.pick_status) && IsSomeLastError(b.pick_status))
    a.pick_status = b.pick_status;
  check(Plain(a.status) == Plain(b.status), "status in force");
  check(a.pick_kind == b.pick_kind, "kind of pick");
  check(Plain(a.pick_status) == Plain(b.pick_status), "status of pick");
  check(a.rotation == b.rotation || AllWatched(a.rotation) == b.rotation, "rotation");
  switch (reports) {
    case Reports::kEach:
      check(a.reports == b.reports, "number of state reports");
      break;
    case Reports::kLast:
      check((a.reports > 0) == (b.reports > 0) || silent, "whether a state was reported");
      break;
    case Reports::kAfterBatch:
      break;
  }
  // D2: a set, or yes and no, and not how often. D12, D14: not of lists that only one side had.
  if (diverged_until_now) {
    a.reresolution = b.reresolution;
    a.connects = b.connects;
    a.backoff_resets = b.backoff_resets;
  }
  // Late reports hold subchannels of earlier lists a moment longer, and a picker those of its own.
  const auto holds_watched = [](const Observation& seen) {
    return std::includes(seen.live.begin(), seen.live.end(), seen.watched.begin(),
                         seen.watched.end());
  };
  if ((diverged_until_now || stale) && holds_watched(a) && holds_watched(b)) a.live = b.live;
  check(a.reresolution == b.reresolution || (a.reresolution && failure_told_again_) ||
            (b.reresolution && health_failed_),
        "re-resolution");
  check(a.connects == WithNeedlessRequests(), "connection requests");
  check(a.backoff_resets == b.backoff_resets, "backoff resets");
  check(Plain(a.update_status) == Plain(b.update_status), "status of the update");
  // D1: which backends have a subchannel, and not how many they had.
  check(a.live == b.live, "live subchannels");
  check(a.watched == b.watched, "watched subchannels");
  check(a.misuse.empty() && b.misuse.empty(), "misuse");
  return absl::StrJoin(differences, ", ");
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
    // D2: those begun first in front, so that the watches of the current list hear of it before
    // those of the pending one.
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

// D10: a kept pick_first child that has failed says nothing more until it is READY or fails again,
// and a new one beside it would be CONNECTING. So what was on its way fails before the next list.
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

std::string Sequence::Update(const Event& event) {
  // Which of several equal endpoints is kept, one that has reported or one that has not, is Steer's
  // own affair, so none of them waits for its first report (D1).
  std::set<uint32_t> keys;
  for (const Backend& backend : event.addresses) {
    if (!keys.insert(backend.key()).second) listed_twice_.insert(backend.key());
  }
  // D14: nor do others where the reference would wait for it with a list that Steer takes.
  for (uint32_t key : a_.FirstReportsDue()) {
    if (listed_twice_.count(key) == 0 && !reference::kSwapWaitsForAllReports) continue;
    const std::string difference = DeliverFirstReports(key);
    if (!difference.empty()) return difference;
  }
  const std::string difference = FailReconnects(event.addresses);
  if (!difference.empty()) return difference;
  const std::vector<uint32_t> due_before = a_.FirstReportsDue();
  for (uint32_t key : due_before) {
    if (keys.count(key) != 0) Count("listed again before its first report");
  }

  const bool first_list = !updated_;
  updated_ = true;
  // An error leaves the list in use as it is; without one, it is an empty list.
  if (event.error == 0 || first_list) list_ = event.addresses;
  note_ = event.ToResolverUpdate().note;
  max_turn_ = std::max(max_turn_, static_cast<int>(event.addresses.size()));
  Count(event.error != 0          ? "resolver error"
        : event.addresses.empty() ? "empty list"
                                  : "address list");
  std::vector<std::vector<std::shared_ptr<Watch>>> earlier_a;
  std::vector<std::vector<std::shared_ptr<Watch>>> earlier_b;
  for (const StateChange& change : event.late) {
    earlier_a.push_back(a_.WatchesOf(change.slot));
    earlier_b.push_back(b_.WatchesOf(change.slot));
  }

  BeginEvent();
  held_back_.clear();
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
  const ResolverUpdate update = event.ToResolverUpdate();
  a_.Update(update);
  b_.Update(update);

  // D1: what one side has kept and the other made anew is reported to the latter first, at once.
  // The order in which different subchannels make their first report is not defined in gRPC; Steer
  // knows those of kept endpoints during the update, unless they have made none yet.
  const std::vector<uint32_t> due_a = a_.FirstReportsDue();
  const std::vector<uint32_t> due_b = b_.FirstReportsDue();
  std::map<uint32_t, int> surplus_of_a;
  for (uint32_t key : due_a) ++surplus_of_a[key];
  for (uint32_t key : due_b) --surplus_of_a[key];
  for (uint32_t key : due_before) surplus_of_a[key] = 0;
  bool batch = false;
  auto deliver_surplus = [&](Side* side, const std::vector<uint32_t>& due, int sign) {
    for (uint32_t key : due) {
      int& surplus = surplus_of_a[key];
      if (surplus * sign <= 0) continue;
      if (reference::kPickFirstChildren && side == &a_ &&
          StateOf(key) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
        failure_told_again_ = true;
      }
      side->DeliverFirstReports(key, 1);
      surplus -= sign;
      batch = true;
      Count("kept endpoint");
    }
  };
  deliver_surplus(&a_, due_a, 1);
  deliver_surplus(&b_, due_b, -1);
  // Now both sides wait for the same reports. D4: none is held back while subchannels that differ
  // share a connection. gRPC does not define which of them hears first of a change, and until all
  // have reported, an intermediate state may stay in force.
  // D14: in later gRPCs this is so for the first list alone.
  const bool hold_back =
      !SharesConnection(event.addresses) && (first_list || !reference::kSwapWaitsForAllReports);
  for (uint32_t key : a_.FirstReportsDue()) {
    if (hold_back && (event.held_back >> Backend::OfKey(key).address & 1) != 0) {
      held_back_.insert(key);
      continue;
    }
    a_.DeliverFirstReports(key, kAll);
    b_.DeliverFirstReports(key, kAll);
    batch = true;
  }
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
      return Update(event);
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
    // Reports that were on their way reach a policy that is no more.
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

//
// Running and shrinking
//

namespace {

Difference Describe(const Sequence& sequence, std::vector<Event> events, std::string what) {
  Difference difference;
  difference.events = std::move(events);
  difference.what = std::move(what);
  difference.reference = sequence.reference().ToString();
  difference.policy = sequence.policy().ToString();
  return difference;
}

}  // namespace

Difference RunEvents(const Setup& setup, const std::vector<Event>& events, Coverage* coverage) {
  Sequence sequence(setup, coverage);
  for (size_t i = 0; i < events.size(); ++i) {
    std::string what = sequence.Step(events[i]);
    if (what.empty()) continue;
    return Describe(sequence, {events.begin(), events.begin() + static_cast<ptrdiff_t>(i + 1)},
                    std::move(what));
  }
  std::string what = sequence.Finish();
  if (what.empty()) return Difference();
  return Describe(sequence, events, std::move(what));
}

Difference RunSeed(Setup setup, int max_events, Coverage* coverage) {
  Generator generator(setup.seed, max_events);
  setup.world = generator.initial_world();
  std::vector<Event> events;
  Sequence sequence(setup, coverage);
  while (static_cast<int>(events.size()) < generator.length()) {
    events.push_back(generator.Next(sequence.world(), sequence.FirstReportsDue()));
    ++(*coverage)["events"];
    std::string what = sequence.Step(events.back());
    if (!what.empty()) return Describe(sequence, std::move(events), std::move(what));
  }
  std::string what = sequence.Finish();
  if (what.empty()) return Difference();
  return Describe(sequence, std::move(events), std::move(what));
}

Difference Shrink(const Setup& setup, const Difference& difference) {
  Difference best = difference;
  Coverage unused;
  auto still_differs = [&](const std::vector<Event>& events) {
    Difference candidate = RunEvents(setup, events, &unused);
    if (candidate.what.empty()) return false;
    best = std::move(candidate);
    return true;
  };
  // Fewer events: halves, quarters, ..., single ones, until none can go.
  for (size_t size = std::max<size_t>(1, best.events.size() / 2); size >= 1;) {
    bool smaller = false;
    for (size_t at = 0; at < best.events.size();) {
      std::vector<Event> events = best.events;
      const size_t end = std::min(at + size, events.size());
      events.erase(events.begin() + static_cast<ptrdiff_t>(at),
                   events.begin() + static_cast<ptrdiff_t>(end));
      if (still_differs(events)) {
        smaller = true;
      } else {
        at += size;
      }
    }
    if (size > 1) {
      size /= 2;
    } else if (!smaller) {
      break;
    }
  }
  // Simpler events.
  for (size_t i = 0; i < best.events.size(); ++i) {
    auto try_change = [&](auto change) {
      if (i >= best.events.size()) return false;
      std::vector<Event> events = best.events;
      change(&events[i]);
      return still_differs(events);
    };
    if (best.events[i].kind != Event::kUpdate) continue;
    try_change([](Event* event) { event->note = 0; });
    try_change([](Event* event) { event->held_back = 0; });
    try_change([](Event* event) { event->late.clear(); });
    for (size_t at = 0; i < best.events.size() && at < best.events[i].addresses.size();) {
      const bool gone = try_change([at](Event* event) {
        event->addresses.erase(event->addresses.begin() + static_cast<ptrdiff_t>(at));
      });
      if (!gone) ++at;
    }
  }
  return best;
}

}  // namespace steer_testing
