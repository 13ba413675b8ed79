// A picker of the tests' own, registered by the C ABI under the name "scripted". What it does says
// a script that the test makes, which channels name in their config.
#ifndef STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_
#define STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "steer/steer.h"

namespace steer_test {

// To be called once, before steer::Register().
void RegisterScriptedPicker();

// The engine's functions for pickers.
const steer_api& Api();

inline steer_choice Complete(uint64_t backend) { return {STEER_CHOICE_COMPLETE, backend}; }
inline steer_choice Queue() { return {STEER_CHOICE_QUEUE, 0}; }

// What `header` of a call finds; "<none>" when it finds nothing.
std::string HeaderOf(const steer_call* call, const std::string& name);
bool AddHeaderTo(const steer_call* call, const std::string& name, const std::string& value);

// How a tracked call ended, copied.
struct CallEnd {
  int outcome = -1;
  int code = -1;
  std::string message;
  uint64_t latency_ns = 0;
  bool has_metrics = false;
  double cpu_utilization = 0;
  double mem_utilization = 0;
  double application_utilization = 0;
  double qps = 0;
  double eps = 0;
  std::map<std::string, double> request_cost;
  std::map<std::string, double> utilization;
  std::map<std::string, double> named;
};

class Script {
 public:
  // One that nobody has yet. It lives as long as the process: channels shut down at their leisure.
  static Script& New();

  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // A service config that names it; `more` begins with a comma.
  std::string ServiceConfig(const std::string& more = "") const;

  // --- What the test says; not to be changed while a channel uses it ---

  uint32_t wants = 0;
  std::vector<std::string> headers;
  // By default the first backend.
  std::function<steer_choice(const steer_backends&, const steer_call*)> pick;
  // Each time that a picker is made, serialised.
  std::function<void(const steer_channel*, const steer_backends&)> made;
  std::function<void(const steer_channel*, uint64_t timer)> timer;

  // --- What has happened ---

  // Chooses a backend and counts the call until its end.
  steer_choice Track(uint64_t backend);
  int tracked() const { return tracked_; }
  int started() const { return started_; }
  int finished() const { return finished_; }
  // Waits until that many tracked calls have ended, and returns how, in that order. Fewer if they
  // do not in time.
  std::vector<CallEnd> WaitForEnds(size_t count) const;

 private:
  friend struct ScriptHooks;

  explicit Script(int number) : number_(number) {}

  const int number_;
  std::atomic<int> tracked_{0};
  std::atomic<int> started_{0};
  std::atomic<int> finished_{0};
  mutable std::mutex mutex_;
  std::vector<CallEnd> ends_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_
