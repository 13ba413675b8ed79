#include "soak/witness.h"

#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace steer_soak {
namespace {

// The shortest sleep that does not keep a CPU busy.
constexpr std::chrono::milliseconds kNap(1);
constexpr std::chrono::milliseconds kBetweenLooks(10);
// Ten seconds of looks.
constexpr size_t kMostLooks = 1024;

// How long each thread of this process has waited for a CPU so far, in nanoseconds, by thread
// number. Empty: the kernel keeps no such account.
std::map<std::string, int64_t> WaitsOfThreads() {
  std::map<std::string, int64_t> waits;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    int64_t ran = 0;
    int64_t waited = 0;
    // A thread that has just ended has no account.
    if (std::ifstream(thread.path() / "schedstat") >> ran >> waited) {
      waits[thread.path().filename()] = waited;
    }
  }
  return waits;
}

}  // namespace

Witness::Witness(Counts counts) : counts_(counts) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  for (int number = 0; number < CPU_SETSIZE; ++number) {
    if (!CPU_ISSET(number, &allowed)) continue;
    cpus_.push_back(std::make_unique<Cpu>());
    cpus_.back()->number = number;
  }
  for (const auto& cpu : cpus_) cpu->thread = std::thread([this, &cpu] { Watch(cpu.get()); });
  if (counts_ == Counts::kWaiting) watches_threads_ = std::thread([this] { WatchThreads(); });
}

Witness::~Witness() {
  stopped_ = true;
  for (const auto& cpu : cpus_) cpu->thread.join();
  if (watches_threads_.joinable()) watches_threads_.join();
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

void Witness::WatchThreads() {
  std::map<std::string, int64_t> before = WaitsOfThreads();
  Clock::duration sum{0};
  while (!stopped_) {
    std::this_thread::sleep_for(kBetweenLooks);
    std::map<std::string, int64_t> now = WaitsOfThreads();
    for (const auto& [thread, waited] : now) {
      const auto same = before.find(thread);
      sum += std::chrono::nanoseconds(waited - (same == before.end() ? 0 : same->second));
    }
    before = std::move(now);
    const std::lock_guard<std::mutex> lock(mutex_);
    waited_.push_back({Clock::now(), sum});
    if (waited_.size() > kMostLooks) waited_.pop_front();
  }
}

// Counts from the last look before `begin` to the first look after `end`, because the account has a
// wait only after its end.
Clock::duration Witness::WaitedBetween(TimePoint begin, TimePoint end) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (waited_.empty()) return Clock::duration::zero();
  const auto earlier = [](TimePoint time, const Waited& waited) { return time < waited.when; };
  auto first = std::upper_bound(waited_.begin(), waited_.end(), begin, earlier);
  if (first != waited_.begin()) --first;
  auto last = std::upper_bound(waited_.begin(), waited_.end(), end, earlier);
  if (last == waited_.end()) --last;
  return last->sum - first->sum;
}

Clock::duration Witness::Withheld(TimePoint begin, TimePoint end) const {
  Clock::duration most{0};
  if (counts_ == Counts::kNothing) return most;
  for (const auto& cpu : cpus_) {
    const std::lock_guard<std::mutex> lock(cpu->mutex);
    Clock::duration sum{0};
    for (const Interval& interval : cpu->overslept) {
      const Clock::duration common = std::min(interval.end, end) - std::max(interval.begin, begin);
      if (common > Clock::duration::zero()) sum += common;
    }
    most = std::max(most, sum);
  }
  return std::max(most, WaitedBetween(begin, end));
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
