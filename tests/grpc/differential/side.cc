// One policy under test. See side.h.
#include "side.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace steer_testing {
namespace {

constexpr const char* kPickKindNames[] = {"complete", "queue", "fail", "drop"};

std::string KeyNames(const std::set<uint32_t>& keys) {
  return absl::StrJoin(
      keys, " ", [](std::string* out, uint32_t key) { absl::StrAppend(out, BackendKeyName(key)); });
}

// The shortest turn that explains all of `picked`. Empty: it would be longer than `max_turn`.
std::vector<uint64_t> TurnOf(const std::vector<uint64_t>& picked, size_t max_turn) {
  for (size_t turn = 1; turn <= max_turn && turn < picked.size(); ++turn) {
    if (std::equal(picked.begin() + static_cast<ptrdiff_t>(turn), picked.end(), picked.begin())) {
      return std::vector<uint64_t>(picked.begin(), picked.begin() + static_cast<ptrdiff_t>(turn));
    }
  }
  return {};
}

std::vector<uint64_t> LeastRotation(const std::vector<uint64_t>& turn) {
  std::vector<uint64_t> best = turn;
  std::vector<uint64_t> candidate = turn;
  for (size_t i = 1; i < turn.size(); ++i) {
    std::rotate(candidate.begin(), candidate.begin() + 1, candidate.end());
    if (candidate < best) best = candidate;
  }
  return best;
}

}  // namespace

std::string Observation::ToString() const {
  std::string text = absl::StrCat(
      "    in force: ", has_picker ? StateName(state) : "nothing", " ", status.ToString(),
      "\n    picks: ", kPickKindNames[pick_kind], " ", pick_status.ToString(), " [",
      absl::StrJoin(rotation, " ",
                    [](std::string* out, uint64_t pick) {
                      absl::StrAppend(out, BackendKeyName(static_cast<uint32_t>(pick >> 1)),
                                      (pick & Observation::kWatched) != 0 ? "" : "(unwatched)");
                    }),
      "]\n    reports: ", reports, ", connectivity reports received: ", delivered,
      ", update returned: ", update_status.ToString(),
      "\n    re-resolution: ", reresolution ? "asked" : "no", ", connects: [", KeyNames(connects),
      "], backoff resets: [", KeyNames(backoff_resets), "]\n    made: [",
      absl::StrJoin(
          made, " ",
          [](std::string* out, uint32_t key) { absl::StrAppend(out, BackendKeyName(key)); }),
      "]\n    live: [", KeyNames(live), "], watched: [", KeyNames(watched), "]\n");
  for (const std::string& what : misuse) absl::StrAppend(&text, "    misuse: ", what, "\n");
  return text;
}

Side::Side(const std::string& policy_name, const World* world, Mutation mutation, uint64_t seed)
    : world_(world),
      mutation_(mutation),
      mutation_rng_(static_cast<uint32_t>(seed)),
      channel_(policy_name, this) {}

Side::~Side() {
  kept_.reset();
  first_reports_.clear();
  watches_.clear();
  channel_.Orphan();
  DropPicker();
}

// Injects the fault one time in eight, so that a sequence gets into various states before it.
bool Side::Mutate(Mutation mutation) { return mutation_ == mutation && mutation_rng_() % 8 == 0; }

void Side::BeginEvent() { now_ = Observation(); }

void Side::Update(const ResolverUpdate& update) {
  now_.update_status = channel_.Update(update);
  if (Mutate(Mutation::kChangeUpdateStatus)) {
    now_.update_status = absl::InternalError("changed by mutation");
  }
}

void Side::Picks(int count) {
  if (picker_ == nullptr) return;
  for (int i = 0; i < count; ++i) {
    const PickOutcome outcome = PickOnce(picker_);
    now_.pick_kind = outcome.kind;
    now_.pick_status = outcome.status;
    if (outcome.kind != PickOutcome::kComplete) break;
    picked_.push_back(uint64_t{outcome.backend.key()} << 1 |
                      (outcome.watched ? Observation::kWatched : 0));
    if (picked_.size() > 1 && Mutate(Mutation::kRepeatPick)) {
      picked_.back() = picked_[picked_.size() - 2];
    }
  }
  // After a queued pick gRPC calls the policy in the work serializer.
  if (now_.pick_kind == PickOutcome::kQueue) channel_.Drain();
}

std::vector<std::shared_ptr<Watch>> Side::WatchesOf(int slot) const {
  std::vector<std::shared_ptr<Watch>> result;
  for (const auto& watch : watches_) {
    if (SlotOf(watch->subchannel().backend()) == slot) result.push_back(watch);
  }
  return result;
}

std::vector<std::shared_ptr<Watch>> Side::Watches() const { return watches_; }

std::set<uint32_t> Side::WatchedKeys() const {
  std::set<uint32_t> keys;
  for (const auto& watch : watches_) keys.insert(watch->subchannel().backend().key());
  return keys;
}

std::vector<uint32_t> Side::FirstReportsDue() const {
  std::vector<uint32_t> keys;
  keys.reserve(first_reports_.size());
  for (const FirstReport& first : first_reports_) {
    keys.push_back(first.watch->subchannel().backend().key());
  }
  return keys;
}

void Side::DeliverOne(Watch& watch, const Connection& connection, bool health_alone) {
  ++now_.delivered;
  if (Mutate(Mutation::kDropStateChange)) return;
  if (!health_alone) {
    channel_.Run([&] { watch.Report(connection.state, StatusNumber(connection.status)); });
  }
  if (watch.health_watched() && connection.state == GRPC_CHANNEL_READY) {
    channel_.Run(
        [&] { watch.ReportHealth(connection.health, StatusNumber(connection.health_status)); });
  }
}

void Side::DeliverFirstReports(uint32_t key, int count) {
  std::vector<FirstReport> due;
  for (auto first = first_reports_.begin(); first != first_reports_.end();) {
    if (count > 0 && first->watch->subchannel().backend().key() == key) {
      due.push_back(std::move(*first));
      first = first_reports_.erase(first);
      --count;
    } else {
      ++first;
    }
  }
  for (const FirstReport& first : due) {
    DeliverOne(*first.watch, first.report);
  }
}

void Side::Deliver(const std::vector<std::shared_ptr<Watch>>& watches, const Connection& connection,
                   bool health_alone) {
  for (const auto& watch : watches) {
    const auto first = std::find_if(first_reports_.begin(), first_reports_.end(),
                                    [&](const FirstReport& first) { return first.watch == watch; });
    if (first != first_reports_.end()) {
      const Connection report = first->report;
      first_reports_.erase(first);
      DeliverOne(*watch, report);
    }
    if (!health_alone || watch->health_watched()) DeliverOne(*watch, connection, health_alone);
  }
}

void Side::DeliverOrphanedFirstReports() {
  std::vector<FirstReport> orphaned;
  for (auto first = first_reports_.begin(); first != first_reports_.end();) {
    if (first->watch->cancelled()) {
      orphaned.push_back(std::move(*first));
      first = first_reports_.erase(first);
    } else {
      ++first;
    }
  }
  for (const FirstReport& first : orphaned) {
    DeliverOne(*first.watch, first.report);
  }
}

bool Side::HasSubchannelOf(int slot) const {
  return std::any_of(live_.begin(), live_.end(), [&](const auto& entry) {
    return SlotOf(Backend::OfKey(entry.first)) == slot;
  });
}

void Side::DropPicker() {
  picker_.reset();
  picked_.clear();
  channel_.Drain();
}

Observation Side::Observe(int max_turn) {
  now_.has_picker = picker_ != nullptr;
  now_.state = state_;
  now_.status = status_;
  // A turn shows when it has been picked twice, and one more.
  const size_t enough = static_cast<size_t>(2 * max_turn + 1);
  Picks(static_cast<int>(enough));
  if (now_.pick_kind == PickOutcome::kComplete && picker_ != nullptr) {
    now_.rotation = LeastRotation(TurnOf(picked_, static_cast<size_t>(max_turn)));
    if (now_.rotation.empty()) Misused("the picks do not rotate");
    // Keeps the last ones, because the next event's picks must continue from them.
    if (picked_.size() > 2 * enough) {
      picked_.erase(picked_.begin(), picked_.end() - static_cast<ptrdiff_t>(enough));
    }
  }
  for (const auto& entry : live_) now_.live.insert(entry.first);
  now_.watched = WatchedKeys();
  return now_;
}

bool Side::CanCreate(const Backend& backend) {
  return (world_->unusable >> backend.address & 1) == 0;
}

grpc_connectivity_state Side::StateOf(const Backend& backend) {
  return world_->connections[static_cast<size_t>(SlotOf(backend))].state;
}

void Side::SubchannelCreated(const Backend& backend) {
  now_.made.push_back(backend.key());
  ++live_[backend.key()];
  ++live_count_;
}

void Side::SubchannelDestroyed(const Backend& backend) {
  --live_count_;
  const auto entry = live_.find(backend.key());
  if (--entry->second == 0) live_.erase(entry);
}

void Side::WatchStarted(std::shared_ptr<Watch> watch) {
  const auto slot = static_cast<size_t>(SlotOf(watch->subchannel().backend()));
  const Connection& connection = world_->connections[slot];
  if (watch->ExpectsReportOf(connection.state)) first_reports_.push_back({watch, connection});
  watches_.push_back(watch);
  if (kept_ == nullptr && Mutate(Mutation::kKeepSubchannel)) kept_ = std::move(watch);
}

void Side::WatchCancelled(const std::shared_ptr<Watch>& watch) {
  watches_.erase(std::remove(watches_.begin(), watches_.end(), watch), watches_.end());
  // Earlier picks were recorded as watched.
  picked_.clear();
}

void Side::ConnectionRequested(const Backend& backend) {
  // Policies that request connections in TRANSIENT_FAILURE also do so in other states, where gRPC
  // ignores it.
  const grpc_connectivity_state state = StateOf(backend);
  if (reference::kFailedConnectionsWait && state != GRPC_CHANNEL_IDLE &&
      state != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    return;
  }
  if (!Mutate(Mutation::kDropConnect)) now_.connects.insert(backend.key());
}

void Side::BackoffReset(const Backend& backend) {
  if (!Mutate(Mutation::kDropResetBackoff)) now_.backoff_resets.insert(backend.key());
}

void Side::StateReported(grpc_connectivity_state state, const absl::Status& status,
                         PickerPtr picker) {
  if (Mutate(Mutation::kDropReport)) return;
  if (picker == nullptr) Misused("state report without a picker");
  ++now_.reports;
  state_ = state;
  status_ = status;
  picker_ = std::move(picker);
  picked_.clear();
  if (!status.ok() && Mutate(Mutation::kChangeStatus)) {
    status_ = absl::Status(status.code(), absl::StrCat(status.message(), "."));
  }
}

void Side::ReresolutionRequested() {
  if (!Mutate(Mutation::kDropReresolution)) now_.reresolution = true;
}

void Side::PolicyDestroyed() { policy_alive_ = false; }

void Side::Misused(const std::string& what) { now_.misuse.push_back(what); }

}  // namespace steer_testing
