// A server's capacity: so many jobs are served at a time, each for its service time, and the others
// wait in the order in which they came. A job that nobody waits for any more is taken from the
// queue without being served.
//
// Must not know: gRPC.
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
    // Whether nobody waits for it any more. Asked once, when a slot is free for it.
    std::function<bool()> expired;
    // It has been served, or dropped. Called once.
    std::function<void(bool served)> end;
  };

  // `service_time` is asked for each job that is served, never twice at a time.
  Slots(int count, std::function<std::chrono::nanoseconds()> service_time)
      : service_time_(std::move(service_time)) {
    for (int i = 0; i < count; ++i) slots_.emplace_back([this] { Serve(); });
  }

  // Serves what is in the queue before it ends.
  ~Slots() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
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

 private:
  struct Served {
    Job job;
    std::chrono::nanoseconds time;
  };

  // A slot's life. A thread for each, which sleeps while it serves: that bounds by itself how many
  // are served, and is exact to the tenth of a millisecond, where gRPC's alarms count whole ones.
  void Serve() {
    while (const std::optional<Served> next = Next()) {
      std::this_thread::sleep_for(next->time);
      next->job.end(true);
    }
  }

  // Waits for a job to serve, and drops on the way those that have expired. Nothing: this is the
  // end.
  std::optional<Served> Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
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
  std::vector<std::thread> slots_;
};

}  // namespace gain

#endif  // STEER_GAIN_SLOTS_H
