#include "soak/witness.h"

#include <sched.h>

#include <algorithm>

namespace steer_soak {
namespace {

constexpr std::chrono::milliseconds kNap(1);

}  // namespace

Witness::Witness() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  for (int number = 0; number < CPU_SETSIZE; ++number) {
    if (!CPU_ISSET(number, &allowed)) continue;
    cpus_.push_back(std::make_unique<Cpu>());
    cpus_.back()->number = number;
  }
  for (const auto& cpu : cpus_) cpu->thread = std::thread([this, &cpu] { Watch(cpu.get()); });
}

Witness::~Witness() {
  stopped_ = true;
  for (const auto& cpu : cpus_) cpu->thread.join();
}

void Witness::Watch(Cpu* cpu) {
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(cpu->number, &own);
  sched_setaffinity(0, sizeof(own), &own);
  while (!stopped_) {
    const TimePoint due = Clock::now() + kNap;
    std::this_thread::sleep_until(due);
    const TimePoint awake = Clock::now();
    if (awake - due < kNap) continue;
    const std::lock_guard<std::mutex> lock(cpu->mutex);
    cpu->overslept[cpu->count++ % cpu->overslept.size()] = {due, awake};
    cpu->longest = std::max(cpu->longest, awake - due);
  }
}

Clock::duration Witness::Withheld(TimePoint begin, TimePoint end) const {
  Clock::duration most{0};
  for (const auto& cpu : cpus_) {
    const std::lock_guard<std::mutex> lock(cpu->mutex);
    Clock::duration sum{0};
    for (const Interval& interval : cpu->overslept) {
      const Clock::duration common = std::min(interval.end, end) - std::max(interval.begin, begin);
      if (common > Clock::duration::zero()) sum += common;
    }
    most = std::max(most, sum);
  }
  return most;
}

Clock::duration Witness::Longest() const {
  Clock::duration longest{0};
  for (const auto& cpu : cpus_) {
    const std::lock_guard<std::mutex> lock(cpu->mutex);
    longest = std::max(longest, cpu->longest);
  }
  return longest;
}

void Witness::Forget() {
  for (const auto& cpu : cpus_) {
    const std::lock_guard<std::mutex> lock(cpu->mutex);
    cpu->longest = Clock::duration::zero();
  }
}

}  // namespace steer_soak
