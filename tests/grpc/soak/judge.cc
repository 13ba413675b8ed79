#include "soak/judge.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "soak/policies.h"

namespace steer_soak {
namespace {

// A death this long before a call does not explain its failure, even on a busy machine.
constexpr std::chrono::seconds kForgotten(5);
// The longest time after a standstill in which the work that had to wait is still being done.
constexpr std::chrono::seconds kBacklog(1);
// Further faults are only counted.
constexpr uint64_t kMostPrinted = 50;

// Whether a message is the kernel's about a broken connection, or that of gRPC's transport about a
// call on a broken one. gRPC does not always name the peer then. No policy or channel uses these
// words.
bool IsOfAConnection(const std::string& message) {
  for (const char* words :
       {"Broken pipe", "Connection reset by peer", "Socket closed", "Transport closed"}) {
    if (message.find(words) != std::string::npos) return true;
  }
  return false;
}

std::string Text(Clock::duration time) { return std::to_string(Milliseconds(time)) + " ms"; }

}  // namespace

Judge::Judge(const Fleet& fleet, const Witness& witness, std::vector<std::string> channels,
             Clock::duration bound)
    : fleet_(fleet),
      witness_(witness),
      bound_(bound),
      channels_(std::move(channels)),
      verdicts_(channels_.size()) {}

void Judge::Add(std::vector<Remarkable> calls) {
  calls_.insert(calls_.end(), calls.begin(), calls.end());
}

void Judge::Decide(TimePoint before, const Callers& callers) {
  const auto later = std::stable_partition(
      calls_.begin(), calls_.end(), [&](const Remarkable& call) { return call.end < before; });
  for (auto call = calls_.begin(); call != later; ++call) {
    if (!call->status.ok()) DecideFailed(*call);
    if (call->on_wire - call->begin > bound_) DecideLate(*call, callers);
  }
  calls_.erase(calls_.begin(), later);
}

Clock::duration Judge::Excused(TimePoint begin, TimePoint end) const {
  return witness_.Withheld(begin, end) + witness_.Withheld(begin - kBacklog, end);
}

void Judge::DecideFailed(const Remarkable& call) {
  Verdicts& verdicts = verdicts_[call.channel];
  std::optional<Death> death;
  if (call.port != 0) {
    death = fleet_.FindDeath(call.port, call.begin, call.end, kForgotten);
  } else if (IsOfAConnection(call.status.error_message())) {
    for (const int port : fleet_.ports()) {
      const auto other = fleet_.FindDeath(port, call.begin, call.end, kForgotten);
      if (other.has_value() && (!death.has_value() || death->end < other->end)) death = other;
    }
  }
  std::string when = "its server did not die before its end";
  if (death.has_value()) {
    const Clock::duration after = call.begin - death->end;
    const Clock::duration own = after - Excused(death->begin, call.begin);
    if (call.status.error_code() == grpc::StatusCode::UNAVAILABLE && own <= bound_) {
      ++(after <= Clock::duration::zero() ? verdicts.lost_in_flight : verdicts.lost_after);
      verdicts.latest = std::max(verdicts.latest, after);
      return;
    }
    when = "it began " + Text(after) + " after its server's death, the machine explains " +
           Text(after - own) + " of that";
  }
  ++verdicts.failed;
  Fault(channels_[call.channel] + ": a call" + (call.wait_for_ready ? " that waits" : "") + " to " +
        (call.port == 0 ? "no server" : std::to_string(call.port)) + " failed after " +
        Text(call.end - call.begin) + " with " + std::to_string(call.status.error_code()) + " (" +
        call.status.error_message() + "); " + when);
}

void Judge::DecideLate(const Remarkable& call, const Callers& callers) {
  Verdicts& verdicts = verdicts_[call.channel];
  const Clock::duration time = call.on_wire - call.begin;
  const Clock::duration excused = Excused(call.begin, call.on_wire);
  if (time - excused <= bound_) {
    ++verdicts.withheld;
    return;
  }
  if (ConnectsLazily(channels_[call.channel]) && !callers.Overtaken(call, bound_ + excused)) {
    ++verdicts.connecting;
    return;
  }
  ++verdicts.stalled;
  Fault(channels_[call.channel] + ": a call took " + Text(time) +
        " to be on the wire, and the machine explains " + Text(excused) + " of that");
}

void Judge::Fault(const std::string& what) {
  if (++faults_ <= kMostPrinted) std::printf("FAULT %s\n", what.c_str());
}

uint64_t Judge::lost() const {
  uint64_t lost = 0;
  for (const Verdicts& verdicts : verdicts_) lost += verdicts.lost_in_flight + verdicts.lost_after;
  return lost;
}

}  // namespace steer_soak
