// See sequence.h.

#include "sequence.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

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
    : world_(setup.world),
      coverage_(coverage),
      a_(setup.reference, &world_, Mutation::kNone, setup.seed),
      b_(setup.policy, &world_, setup.mutation, setup.seed) {}

void Sequence::BeginEvent() {
  a_.BeginEvent();
  b_.BeginEvent();
}

std::string Sequence::EndEvent(Reports reports) {
  a_.DeliverOrphanedFirstReports();
  b_.DeliverOrphanedFirstReports();
  seen_a_ = a_.Observe(max_turn_);
  seen_b_ = b_.Observe(max_turn_);
  const Observation& a = seen_a_;
  const Observation& b = seen_b_;

  if (a.reports > 0) Count(absl::StrCat("reported ", StateName(a.state)));
  if (a.reresolution) Count("re-resolution");
  if (!a.connects.empty()) Count("connection request");
  if (a.rotation.size() > 1) Count("rotation of several");

  std::vector<std::string> differences;
  auto check = [&](bool same, const char* what) {
    if (!same) differences.push_back(what);
  };
  check(a.has_picker == b.has_picker && a.state == b.state, "state in force");
  check(Plain(a.status) == Plain(b.status), "status in force");
  check(a.pick_kind == b.pick_kind, "kind of pick");
  check(Plain(a.pick_status) == Plain(b.pick_status), "status of pick");
  check(a.rotation == b.rotation, "rotation");
  switch (reports) {
    case Reports::kEach:
      check(a.reports == b.reports, "number of state reports");
      break;
    case Reports::kLast:
      check((a.reports > 0) == (b.reports > 0), "whether a state was reported");
      break;
    case Reports::kAfterBatch:
      break;
  }
  // D2: a set, or yes and no, and not how often.
  check(a.reresolution == b.reresolution, "re-resolution");
  check(a.connects == b.connects, "connection requests");
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
  return EndEvent(Reports::kLast);
}

void Sequence::Change(const StateChange& change,
                      const std::vector<std::shared_ptr<Watch>>& earlier_a,
                      const std::vector<std::shared_ptr<Watch>>& earlier_b) {
  world_.Apply(change);
  const absl::Status status = StatusNumber(change.status);
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
    side->Deliver(watches, change.state, status);
  };
  deliver(&a_, earlier_a);
  deliver(&b_, earlier_b);
}

std::string Sequence::Update(const Event& event) {
  // Which of several equal endpoints is kept, one that has reported or one that has not, is Steer's
  // own affair, so none of them waits for its first report (D1).
  std::set<uint32_t> keys;
  for (const Backend& backend : event.addresses) {
    if (!keys.insert(backend.key()).second) listed_twice_.insert(backend.key());
  }
  for (uint32_t key : a_.FirstReportsDue()) {
    if (listed_twice_.count(key) == 0) continue;
    const std::string difference = DeliverFirstReports(key);
    if (!difference.empty()) return difference;
  }
  const std::vector<uint32_t> due_before = a_.FirstReportsDue();
  for (uint32_t key : due_before) {
    if (keys.count(key) != 0) Count("listed again before its first report");
  }

  updated_ = true;
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
  const uint32_t held_back = SharesConnection(event.addresses) ? 0 : event.held_back;
  for (uint32_t key : a_.FirstReportsDue()) {
    if ((held_back >> Backend::OfKey(key).address & 1) != 0) continue;
    a_.DeliverFirstReports(key, kAll);
    b_.DeliverFirstReports(key, kAll);
    batch = true;
  }

  for (size_t i = 0; i < event.late.size(); ++i) {
    const StateChange& change = event.late[i];
    if (world_.IsLegal(change)) Change(change, earlier_a[i], earlier_b[i]);
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
    // Reports that were on their way reach a policy that is no more.
    for (grpc_connectivity_state state : {GRPC_CHANNEL_READY, GRPC_CHANNEL_TRANSIENT_FAILURE,
                                          GRPC_CHANNEL_IDLE, GRPC_CHANNEL_CONNECTING}) {
      const absl::Status status = StatusNumber(state == GRPC_CHANNEL_TRANSIENT_FAILURE ? 1 : 0);
      a_.Deliver(watches_a, state, status);
      b_.Deliver(watches_b, state, status);
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
