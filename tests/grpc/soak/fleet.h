// The servers of a soak, in a few processes, and the times when each of them died: a death explains
// why a call to that server failed.
//
// Must not depend on: channels, policies.
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

// A server's death: its connections broke between these two times.
struct Death {
  TimePoint begin;
  // TimePoint::max() until the death is complete.
  TimePoint end;
};

class Fleet {
 public:
  // Starts all servers.
  Fleet(int servers, int processes);

  int size() const { return static_cast<int>(servers_.size()); }
  const std::vector<int>& ports() const { return ports_; }
  int processes() const { return static_cast<int>(processes_.size()); }

  // --- For one thread ---

  // Whether the server's process runs, so that the server can be killed or started.
  bool IsReachable(int server) const;
  bool IsRunning(int server) const;
  int running() const;
  // Breaks the server's connections and returns when they are broken. Its process goes on with the
  // other servers.
  void Kill(int server);
  void Start(int server);
  // Kills a process with all its servers.
  void KillProcess(int process);
  bool ProcessIsThere(int process) const;
  // Starts a process again if it was killed. Its servers run once Poll() has seen that they listen.
  void BeginProcess(int process);
  void Poll();
  void StartAll();

  // --- For any thread ---

  // The last death of the server at `port` that may explain the failure of a call: the call ended
  // after the death began, and began at most `slack` after the death. Knows the latest 16 deaths.
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
  // Guards the deaths of all servers.
  mutable std::mutex mutex_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_FLEET_H_
