// Timers for the stress test. See timers.h.
#include "timers.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "alarm.h"
#include "differential/fake_channel.h"

namespace steer_testing {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<void()>;

// Timers run out this many times earlier, so that more of them do.
constexpr uint64_t kTimesFaster = 20;

class Timers {
 public:
  static Timers& Get() {
    static Timers* const timers = new Timers;
    return *timers;
  }

  Work Add(uint64_t after_ns, Work work) {
    const Clock::time_point when = Clock::now() + std::chrono::nanoseconds(after_ns / kTimesFaster);
    const std::lock_guard<std::mutex> lock(mutex_);
    const uint64_t number = next_++;
    waiting_.emplace(std::make_pair(when, number), std::move(work));
    changed_.notify_one();
    return [this, key = std::make_pair(when, number)] { Cancel(key); };
  }

  void Clear() {
    std::map<Key, Work> dropped;
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped.swap(waiting_);
  }

 private:
  using Key = std::pair<Clock::time_point, uint64_t>;

  Timers() {
    std::thread([this] { Run(); }).detach();
  }

  void Cancel(const Key& key) {
    // Destroyed after the lock is released, because it may hold the last reference to an object
    // that cancels timers.
    std::map<Key, Work>::node_type cancelled;
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled = waiting_.extract(key);
  }

  [[noreturn]] void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      if (waiting_.empty()) {
        changed_.wait(lock);
      } else if (const Clock::time_point when = waiting_.begin()->first.first;
                 when > Clock::now()) {
        changed_.wait_until(lock, when);
      } else {
        auto due = waiting_.extract(waiting_.begin());
        lock.unlock();
        {
          const InSerializer here;
          const ThreadScope scope;
          due.mapped()();
        }
        due = {};
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Work> waiting_;
  uint64_t next_ = 0;
};

}  // namespace

namespace {

std::mutex& SerializerLock() {
  static std::mutex* const lock = new std::mutex;
  return *lock;
}

thread_local bool in_serializer = false;

}  // namespace

InSerializer::InSerializer() : lock_(SerializerLock()) { in_serializer = true; }

InSerializer::~InSerializer() { in_serializer = false; }

bool InSerializer::Here() { return in_serializer; }

void DropTimers() { Timers::Get().Clear(); }

}  // namespace steer_testing

namespace steer::shim {

std::function<void()> CallLater(uint64_t after_ns, std::function<void()> work) {
  return steer_testing::Timers::Get().Add(after_ns, std::move(work));
}

}  // namespace steer::shim
