// The servers of a soak, in a few processes; and when each of them died, so that a call that failed
// there can be explained by that, or cannot.
//
// Must not know: channels, policies.
#ifndef STEER_TESTS_GRPC_SOAK_FLEET_H_
#define STEER_TESTS_GRPC_SOAK_FLEET_H_

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "soak/clock.h"
#include "support/backend.h"
#include "support/process.h"

namespace steer_soak {

// Its connections broke between these two.
struct Death {
  TimePoint begin;
  // TimePoint::max() while it is under way.
  TimePoint end;
};

class Fleet {
 public:
  // Starts all of them.
  Fleet(int servers, int processes);

  int size() const { return static_cast<int>(servers_.size()); }
  const std::vector<int>& ports() const { return ports_; }
  int processes() const { return static_cast<int>(processes_.size()); }

  // --- By one thread ---

  // Whether a server's process is there, and it could be killed or started.
  bool IsReachable(int server) const;
  bool IsRunning(int server) const;
  int running() const;
  // Its connections break; its process stays, with other servers in it. Returns when they have
  // broken.
  void Kill(int server);
  void Start(int server);
  // SIGKILL to a process with all of its servers.
  void KillProcess(int process);
  bool ProcessIsThere(int process) const;
  // Starts a process anew if it is gone. Its servers are reachable, and run, once Poll() has heard
  // of them.
  void BeginProcess(int process);
  void Poll();
  void StartAll();

  // --- By any thread ---

  // The last death of the server at `port` that may have taken a call with it: the call ended after
  // the death had begun, and had begun before `slack` was over after it. The latest 16 are known.
  std::optional<Death> FindDeath(int port, TimePoint call_begin, TimePoint call_end,
                                 Clock::duration slack) const;

 private:
  struct Server {
    steer_test::ReservedPort port;
    bool running = false;
    std::array<Death, 16> deaths;
    uint64_t death_count = 0;
  };
  struct Process {
    enum class State { kGone, kBeginning, kThere };
    State state = State::kGone;
    int first = 0;
    int end = 0;
    std::unique_ptr<steer_test::ChildProcess> child;
  };

  int ProcessOf(int server) const;
  void Command(int server, const std::string& command);
  void BeginDeath(int server);
  void EndDeath(int server);
  void WaitForProcess(int process);

  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<int> ports_;
  std::vector<Process> processes_;
  // Guards the deaths.
  mutable std::mutex mutex_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_FLEET_H_
