// The client threads of a soak: each starts calls at a steady rate, on one channel after the other,
// whether or not the ones before have ended, and waits for them on a completion queue of its own.
//
// A call is measured from its start to the moment when gRPC says that its headers are on the wire:
// what the channel, the policy's pick and the connection's writing have added.
//
// Must not know: which policies these are, when servers die.
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

// How long calls took to be on the wire: counted in steps of a quarter of an octave.
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

// A call that failed, or one that was long in coming to the wire.
struct Remarkable {
  size_t channel;
  TimePoint begin;
  TimePoint on_wire;
  TimePoint end;
  grpc::Status status;
  bool wait_for_ready;
  // Of the backend that the last attempt went to; 0 if there was none.
  int port;
};

class Callers {
 public:
  struct Options {
    int threads = 8;
    // Per second, of all threads together.
    int rate = 500;
    // From here on a call is long in coming to the wire.
    Clock::duration long_time{};
  };

  // `ports` are those of all servers.
  Callers(std::vector<std::shared_ptr<grpc::Channel>> channels, std::vector<int> ports,
          const Options& options);
  // Waits for all calls.
  ~Callers();

  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  void Run() { mode_ = Mode::kRun; }
  // Starts no further calls. Those that run go on.
  void Pause() { mode_ = Mode::kPause; }
  int running() const { return running_; }

  // From now on only channels are called of which some server has not answered since, and these
  // three times as often.
  void BeginSweep();
  // Of how many servers a channel has had no answer since.
  int Missing(size_t channel) const;

  uint64_t calls(size_t channel) const { return tallies_[channel]->calls; }
  const Histogram& to_wire(size_t channel) const { return tallies_[channel]->to_wire; }
  // The longest that a thread was in gRPC's function that starts a call, where a call is picked if
  // there is a backend for it.
  const Histogram& starting(size_t channel) const { return tallies_[channel]->starting; }

  // Whether a call that began later than this was on the wire to the same server more than `by`
  // before it: then there was a connection that this one could have had.
  bool Overtaken(const Remarkable& call, Clock::duration by) const;

  // Begins all of its numbers anew. Only while it pauses.
  void Forget();

  // What there was since the last time. At most a thousand are kept in between; more are counted.
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
    // Guarded by it.
    std::vector<Latest> latest;
  };
  class Call;

  void Work(uint32_t number);
  // Where the thread's next call goes. False when there is nothing to call.
  bool NextChannel(size_t* channel) const;
  // ports_.size() if it is none of them.
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
  // Guarded by it.
  std::vector<Remarkable> remarkable_;
  std::atomic<uint64_t> forgotten_{0};
  std::vector<std::thread> threads_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_CALLERS_H_
