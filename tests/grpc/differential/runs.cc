// Runs sequences, and shrinks one that shows a difference. See runs.h.
#include "runs.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace steer_testing {
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
  // Fewer events: removes halves, quarters, ..., single ones, until none can be removed.
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
