// The client threads of a soak. Each starts calls at a steady rate, on one channel after the other,
// whether or not earlier calls have ended, and waits for them on its own completion queue.
//
// The time of a call is measured from its start until gRPC reports that its headers are on the
// wire. It consists of the channel's work, the policy's pick, and the connection's writing.
//
// Must not depend on: which policies these are, when servers die.
#ifndef STEER_TESTS_GRPC_SOAK_CALLERS_H_
#define STEER_TESTS_GRPC_SOAK_CALLERS_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "soak/clock.h"

namespace steer_soak {

// The times of calls to the wire, counted in steps of a quarter of an octave.
class Histogram {
 public:
  void Add(Clock::duration time);
  // In milliseconds, rounded up to a step.
  double Quantile(double share) const;
  void Forget();
  double longest() const { return static_cast<double>(longest_ns_) / 1e6; }

 private:
  std::array<std::atomic<uint64_t>, 160> counts_ = {};
  std::atomic<int64_t> longest_ns_{0};
};

// A call that failed, or that took long to the wire.
struct Remarkable {
  size_t channel;
  TimePoint begin;
  TimePoint on_wire;
  TimePoint end;
  grpc::Status status;
  bool wait_for_ready;
  // The port of the backend of the last attempt; 0: there was none.
  int port;
};

class Callers {
 public:
  struct Options {
    int threads = 8;
    // Per second, of all threads together.
    int rate = 500;
    // A call that takes at least this long to the wire is remarkable.
    Clock::duration long_time{};
  };

  // `ports`: the ports of all servers.
  Callers(std::vector<std::shared_ptr<grpc::Channel>> channels, std::vector<int> ports,
          const Options& options);
  // Waits for all calls.
  ~Callers();

  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  void Run() { mode_ = Mode::kRun; }
  // Starts no more calls. Running calls go on.
  void Pause() { mode_ = Mode::kPause; }
  int running() const { return running_; }

  // From now on calls only channels on which some server has not answered since, three times as
  // often.
  void BeginSweep();
  // The number of servers that have not answered on this channel since BeginSweep.
  int Missing(size_t channel) const;

  uint64_t calls(size_t channel) const { return tallies_[channel]->calls; }
  const Histogram& to_wire(size_t channel) const { return tallies_[channel]->to_wire; }
  // The times that threads spent in gRPC's function that starts a call. It picks if a backend is
  // READY.
  const Histogram& starting(size_t channel) const { return tallies_[channel]->starting; }

  // Whether a call that began later was on the wire to the same server more than `by` earlier. Then
  // there was a connection that this call could have used.
  bool Overtaken(const Remarkable& call, Clock::duration by) const;

  // Resets all numbers. Call it only after Pause.
  void Forget();

  // The remarkable calls since the last time. Keeps at most a thousand, and counts the others.
  std::vector<Remarkable> TakeRemarkable();
  uint64_t forgotten() const { return forgotten_; }

 private:
  enum class Mode { kRun, kSweep, kPause };

  struct Tally {
    std::atomic<uint64_t> calls{0};
    Histogram to_wire;
    Histogram starting;
    // By server: whether it has answered in this sweep.
    std::vector<std::atomic<bool>> answered;
    // By server: its latest calls.
    struct Latest {
      std::array<std::pair<TimePoint, TimePoint>, 32> begin_and_wire = {};
      size_t count = 0;
    };
    mutable std::mutex mutex;
    // Guarded by `mutex`.
    std::vector<Latest> latest;
  };
  class Call;

  void Work(uint32_t number);
  // Chooses the channel of the thread's next call. False: no channel needs a call.
  bool NextChannel(size_t* channel) const;
  // The server's index. ports_.size(): there is no such server.
  size_t ServerAt(int port) const;
  void Ended(const Remarkable& call, int answer);

  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  const std::vector<int> ports_;
  const Options options_;
  std::vector<std::unique_ptr<Tally>> tallies_;
  std::atomic<Mode> mode_{Mode::kPause};
  std::atomic<bool> stopped_{false};
  std::atomic<int> running_{0};
  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Remarkable> remarkable_;
  std::atomic<uint64_t> forgotten_{0};
  std::vector<std::thread> threads_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_CALLERS_H_
