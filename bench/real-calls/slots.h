// A server's capacity: a fixed number of slots, each of which serves a job for its service time.
// Other jobs wait in the order of their arrival. An expired job is removed from the queue without
// being served.
//
// Must not depend on: gRPC.
#ifndef STEER_GAIN_SLOTS_H
#define STEER_GAIN_SLOTS_H

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace gain {

class Slots {
 public:
  struct Job {
    // Returns whether the job's caller has given up. Called once, when a slot is free for it.
    std::function<bool()> expired;
    // Called once, when the job has been served or dropped.
    std::function<void(bool served)> end;
  };

  // `service_time` is called for each job that is served. Calls do not overlap.
  Slots(int count, std::function<std::chrono::nanoseconds()> service_time)
      : service_time_(std::move(service_time)) {
    for (int i = 0; i < count; ++i) slots_.emplace_back([this] { Serve(); });
  }

  // Serves the jobs in the queue before it returns.
  ~Slots() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
      hanging_ = false;
    }
    changed_.notify_all();
    for (std::thread& slot : slots_) slot.join();
  }

  void Enqueue(Job job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back(std::move(job));
    }
    changed_.notify_one();
  }

  // While it hangs, it ends no job and serves no other.
  void Hang(bool hanging) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      hanging_ = hanging;
    }
    changed_.notify_all();
  }

 private:
  struct Served {
    Job job;
    std::chrono::nanoseconds time;
  };

  // Runs a slot, in its own thread, which sleeps while it serves. This bounds the number of jobs
  // that are served at a time, and is exact to 0.1 ms; gRPC's alarms are exact to 1 ms.
  void Serve() {
    while (const std::optional<Served> next = Next()) {
      std::this_thread::sleep_for(next->time);
      WaitWhileHanging();
      next->job.end(true);
    }
  }

  void WaitWhileHanging() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !hanging_; });
  }

  // Waits for a job to serve, and drops expired ones. Returns nothing at the end.
  std::optional<Served> Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return !hanging_ && (ending_ || !queue_.empty()); });
      if (queue_.empty()) return std::nullopt;
      Job job = std::move(queue_.front());
      queue_.pop_front();
      if (!job.expired()) {
        const std::chrono::nanoseconds time = service_time_();
        return Served{std::move(job), time};
      }
      lock.unlock();
      job.end(false);
      lock.lock();
    }
  }

  const std::function<std::chrono::nanoseconds()> service_time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool ending_ = false;
  bool hanging_ = false;
  std::vector<std::thread> slots_;
};

}  // namespace gain

#endif  // STEER_GAIN_SLOTS_H
