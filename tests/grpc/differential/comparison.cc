// Compares what both sides have done in an event. Each deliberate difference is a rule here or in
// sequence.cc. See sequence.h.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "sequence.h"

namespace steer_testing {
namespace {

// D6, D7: reduces a status to what both sides can express: code and message, with U+FFFD for each
// byte that is not UTF-8. This test uses such bytes from 0xf8 on, which never occur in UTF-8.
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

// D7: weighted_round_robin's last error shows payloads, which Steer does not have in child mode.
absl::Status WithoutPayload(const absl::Status& status) {
  const std::string text = absl::StrReplaceAll(status.message(), {{kPayloadText, ""}});
  return absl::Status(status.code(), text);
}

// D1: the same picks, of backends that the policy has kept and still watches.
std::vector<uint64_t> AllWatched(std::vector<uint64_t> rotation) {
  for (uint64_t& pick : rotation) pick |= Observation::kWatched;
  return rotation;
}

}  // namespace

// What differs, for people.
class Sequence::Differences {
 public:
  void Check(bool same, const char* what) {
    if (!same) differences_.push_back(what);
  }
  std::string ToString() const { return absl::StrJoin(differences_, ", "); }

 private:
  std::vector<std::string> differences_;
};

bool Sequence::IsUsable(const Backend& backend) const {
  return (world_.unusable >> backend.address & 1) == 0;
}

// Whether these are backends of the latest list in its order. Unless `from_first`, the order may
// begin at any place of the list, and goes on with the list's beginning after its end.
bool Sequence::IsInOrder(const std::vector<uint32_t>& made, bool from_first) const {
  const size_t size = list_.size();
  for (size_t first = 0; first < (from_first ? 1 : std::max<size_t>(size, 1)); ++first) {
    size_t found = 0;
    for (size_t i = 0; i < size && found < made.size(); ++i) {
      if (list_[(first + i) % size].key() == made[found]) ++found;
    }
    if (found == made.size()) return true;
  }
  return false;
}

// D17: notes in which order an update has made subchannels.
void Sequence::NoteOrder() {
  const std::vector<uint32_t>& made = b_.made();
  const auto sorts = [&](bool is_reference) { return reference_sorts_ && is_reference; };
  in_order_ = (sorts(true) || IsInOrder(a_.made(), !reference::kBeginsAtRandom)) &&
              (sorts(self_test_) || IsInOrder(made, self_test_ && !reference::kBeginsAtRandom));
  if (made.empty() || self_test_) return;
  Count(IsInOrder(made, true) ? "Steer begins at the first" : "Steer begins at another");
}

std::set<uint32_t> Sequence::UsableKeys() const {
  std::set<uint32_t> keys;
  for (const Backend& backend : list_) {
    if (IsUsable(backend) && !ended_) keys.insert(backend.key());
  }
  return keys;
}

bool Sequence::ReferenceHasPendingList() const {
  int usable = 0;
  for (const Backend& backend : list_) usable += IsUsable(backend) ? 1 : 0;
  // It has a watch for each address of both lists. An empty list shows by the reference's status.
  const bool uses_empty_list =
      a_.state() == GRPC_CHANNEL_TRANSIENT_FAILURE &&
      !absl::StartsWith(a_.status().message(), "connections to all backends failing");
  return a_.live_watches() > usable || (usable > 0 && uses_empty_list);
}

// D12, D14: notices when the reference keeps its list while Steer uses the pending one.
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
  // Steer, and mostly the reference, too, replaces a useless list at the next report of the pending
  // one.
  const bool may_keep_useless = (reference::kKeepsUselessList || reference::kPickFirstChildren) &&
                                (a_.state() != GRPC_CHANNEL_READY || !silent_.empty());
  diverged_ = pending_is_ready || (may_keep_useless && b_.WatchedKeys() == UsableKeys());
}

// D12, D14: compares while the sides use different lists: from when one side alone has taken a
// pending list until both have only the latest one. Then Steer must have the latest list, and
// besides it at most the one that it used before.
std::string Sequence::CompareDiverged() {
  Count("use different lists");
  const std::set<uint32_t>& watched = seen_b_.watched;
  const std::set<uint32_t> latest = UsableKeys();
  std::set<uint32_t> possible = latest;
  possible.insert(steers_list_.begin(), steers_list_.end());
  Differences differences;
  differences.Check(
      std::includes(watched.begin(), watched.end(), latest.begin(), latest.end()) &&
          std::includes(possible.begin(), possible.end(), watched.begin(), watched.end()),
      "watched subchannels beside the latest list's");
  differences.Check(
      std::includes(seen_b_.live.begin(), seen_b_.live.end(), watched.begin(), watched.end()),
      "live subchannels");
  differences.Check(seen_a_.misuse.empty() && seen_b_.misuse.empty(), "misuse");
  return differences.ToString();
}

// D15: what this status says behind the last error, if that is a failure of any backend of the
// latest list.
std::optional<std::string> Sequence::BehindSomeLastError(const absl::Status& status) const {
  if (!reference::kPickFirstChildren && !reference_sorts_) return std::nullopt;
  absl::string_view text = status.message();
  if (!absl::ConsumePrefix(&text, "connections to all backends failing; last error: ")) {
    return std::nullopt;
  }
  for (const Backend& backend : list_) {
    const int number = world_.connections[static_cast<size_t>(SlotOf(backend))].last_failure;
    if (number == 0) continue;
    const absl::Status failure = StatusNumber(number);
    // A child's own failure, or its health check's. weighted_round_robin names its code, too.
    const absl::Status child = absl::UnavailableError(failure.ToString());
    for (const std::string& cause :
         {child.ToString(), Plain(child).ToString(), failure.ToString(), Plain(failure).ToString(),
          std::string(failure.message()), std::string(Plain(failure).message())}) {
      absl::string_view rest = text;
      if (absl::ConsumePrefix(&rest, cause) && (rest.empty() || absl::StartsWith(rest, " ("))) {
        return std::string(rest);
      }
    }
  }
  return std::nullopt;
}

// D15: takes Steer's last error for the reference's, if they differ in nothing else.
void Sequence::AllowOtherLastError(absl::Status* reference, const absl::Status& steer) const {
  const std::optional<std::string> rest = BehindSomeLastError(*reference);
  if (rest.has_value() && rest == BehindSomeLastError(steer)) *reference = steer;
}

// D16: returns Steer's connection requests, and those of the reference that Steer need not make
// where a failed connection is asked to connect again at once.
std::set<uint32_t> Sequence::WithNeedlessRequests() const {
  std::set<uint32_t> connects = seen_b_.connects;
  if (!reference::kFailedConnectionsWait) return connects;
  for (uint32_t key : seen_a_.connects) {
    // With a new list the reference asks again, and Steer has asked before. Also, the backend may
    // leave with the list that this failure ends.
    if (kept_failed_.count(key) != 0 || seen_a_.watched.count(key) == 0) connects.insert(key);
  }
  return connects;
}

// D9: takes the channel's CONNECTING for a state of the reference's that it has not reported.
// Returns whether it did.
bool Sequence::AllowSilentReference() {
  Observation& a = seen_a_;
  if (!reference::kMaySayNothingAtFirst || a.has_picker || !seen_b_.has_picker) return false;
  Count("reference says nothing");
  a.has_picker = true;
  a.state = GRPC_CHANNEL_CONNECTING;
  return true;
}

// D14: while a child has reported nothing, one side may leave in force what was there before.
// Returns whether that is so; then only what Steer has in force counts.
bool Sequence::AllowSilentChild(Reports* reports) {
  const Observation& b = seen_b_;
  const bool silent_child =
      !self_test_ && std::any_of(list_.begin(), list_.end(), [&](const Backend& backend) {
        return silent_.count(SlotOf(backend)) != 0;
      });
  if (!silent_child ||
      (b.state != GRPC_CHANNEL_CONNECTING && b.reports != 0 && *reports == Reports::kEach)) {
    return false;
  }
  Count("a silent child");
  if (!ended_) *reports = Reports::kAfterBatch;
  Observation& a = seen_a_;
  a.has_picker = b.has_picker;
  a.state = b.state;
  a.status = b.status;
  a.pick_kind = b.pick_kind;
  a.pick_status = b.pick_status;
  a.rotation = b.rotation;
  return true;
}

void Sequence::CountObserved() {
  const Observation& a = seen_a_;
  if (a.reports > 0) Count(absl::StrCat("reported ", StateName(a.state)));
  if (a.reresolution) Count("re-resolution");
  if (!a.connects.empty()) Count("connection request");
  if (a.rotation.size() > 1) Count("rotation of several");
}

// Compares the state and the picker in force.
void Sequence::CompareInForce(Reports reports, bool silent, Differences* differences) {
  Observation& a = seen_a_;
  const Observation& b = seen_b_;
  const bool both_silent = reference::kMaySayNothingAtFirst && !a.has_picker && !b.has_picker;
  differences->Check(a.has_picker == b.has_picker && (a.state == b.state || both_silent),
                     "state in force");
  AllowOtherLastError(&a.status, b.status);
  AllowOtherLastError(&a.pick_status, b.pick_status);
  const auto comparable = [&](const absl::Status& status) {
    return reference_sorts_ ? WithoutPayload(Plain(status)) : Plain(status);
  };
  differences->Check(comparable(a.status) == comparable(b.status), "status in force");
  differences->Check(a.pick_kind == b.pick_kind, "kind of pick");
  differences->Check(comparable(a.pick_status) == comparable(b.pick_status), "status of pick");
  std::vector<uint64_t> rotation = b.rotation;
  if (reference_sorts_) {
    std::sort(rotation.begin(), rotation.end());
    std::sort(a.rotation.begin(), a.rotation.end());
  }
  differences->Check(a.rotation == rotation || AllWatched(a.rotation) == rotation, "rotation");
  switch (reports) {
    case Reports::kEach:
      differences->Check(a.reports == b.reports, "number of state reports");
      break;
    case Reports::kLast:
      differences->Check((a.reports > 0) == (b.reports > 0) || silent,
                         "whether a state was reported");
      break;
    case Reports::kAfterBatch:
      break;
  }
}

// Compares what the policies asked of the channel, and what they hold.
void Sequence::CompareRequests(bool diverged, bool stale, Differences* differences) {
  Observation& a = seen_a_;
  const Observation& b = seen_b_;
  // D2: as a set, or yes and no, and not how often. D12, D14: not for lists that only one side had.
  if (diverged) {
    a.reresolution = b.reresolution;
    a.connects = b.connects;
    a.backoff_resets = b.backoff_resets;
  }
  // Late reports hold subchannels of earlier lists a moment longer, and a picker holds its own.
  const auto holds_watched = [](const Observation& seen) {
    return std::includes(seen.live.begin(), seen.live.end(), seen.watched.begin(),
                         seen.watched.end());
  };
  if ((diverged || stale) && holds_watched(a) && holds_watched(b)) a.live = b.live;
  differences->Check(a.reresolution == b.reresolution || (a.reresolution && failure_told_again_) ||
                         (b.reresolution && health_failed_),
                     "re-resolution");
  differences->Check(a.connects == WithNeedlessRequests(), "connection requests");
  differences->Check(in_order_, "order of new subchannels");
  differences->Check(a.backoff_resets == b.backoff_resets, "backoff resets");
  differences->Check(Plain(a.update_status) == Plain(b.update_status), "status of the update");
  // D1: which backends have a subchannel, and not how many.
  differences->Check(a.live == b.live, "live subchannels");
  differences->Check(a.watched == b.watched, "watched subchannels");
  differences->Check(a.misuse.empty() && b.misuse.empty(), "misuse");
}

std::string Sequence::EndEvent(Reports reports) {
  a_.DeliverOrphanedFirstReports();
  b_.DeliverOrphanedFirstReports();
  seen_a_ = a_.Observe(max_turn_);
  seen_b_ = b_.Observe(max_turn_);
  const bool has_latest_list_alone = seen_b_.watched == UsableKeys();
  const bool diverged_until_now = diverged_;
  if (diverged_) {
    diverged_ = ended_ || ReferenceHasPendingList() || !has_latest_list_alone;
    if (diverged_) {
      const std::string differences = CompareDiverged();
      if (has_latest_list_alone) steers_list_ = seen_b_.watched;
      return differences;
    }
    reports = Reports::kAfterBatch;
  }
  if (has_latest_list_alone) steers_list_ = seen_b_.watched;
  const bool silent = AllowSilentReference();
  const bool stale = AllowSilentChild(&reports);
  CountObserved();
  Differences differences;
  CompareInForce(reports, silent, &differences);
  CompareRequests(diverged_until_now, stale, &differences);
  return differences.ToString();
}

}  // namespace steer_testing
