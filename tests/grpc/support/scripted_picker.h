// A custom picker for tests, registered through the C ABI with the name "scripted". Each test makes
// a script that says what the picker does, and names the script in the channel's config.
#ifndef STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_
#define STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "steer/steer.h"

namespace steer_test {

// Call it once, before steer::Register().
void RegisterScriptedPicker();

// The engine's functions for custom pickers.
const steer_api& Api();

inline steer_choice Complete(uint64_t backend) { return {STEER_CHOICE_COMPLETE, backend}; }
inline steer_choice Queue() { return {STEER_CHOICE_QUEUE, 0}; }

// A header of a call; "<none>": the call has none of this name, or the picker may not read it.
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
  // Makes a script. It lives as long as the process, because channels may use it after the test.
  static Script& New();

  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // The entry of a list of policies that names this script.
  std::string Entry() const;

  // A service config that names this script. `more` is added at the end and begins with a comma.
  std::string ServiceConfig(const std::string& more = "") const;

  // --- Set by the test before a channel uses the script, not changed afterwards ---

  uint32_t wants = 0;
  std::vector<std::string> headers;
  // Picks. Empty: picks the first backend. Any thread.
  std::function<steer_choice(const steer_backends&, const steer_call*)> pick;
  // Called for each new picker. Serialised, as is `timer`.
  std::function<void(const steer_channel*, const steer_backends&)> made;
  std::function<void(const steer_channel*, uint64_t timer)> timer;
  // A load report came out of band. Serialised.
  std::function<void(const steer_backend&, const steer_metrics&)> loaded;

  // --- What has happened so far; any thread ---

  // Returns a choice of this backend whose call is tracked.
  steer_choice Track(uint64_t backend);
  int tracked() const { return tracked_; }
  int started() const { return started_; }
  int finished() const { return finished_; }
  // Waits until `count` tracked calls have ended. Returns how, in that order. Returns fewer if they
  // do not end in time.
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

// A script that tracks each call and picks the first backend.
Script& TrackingScript(uint32_t wants = 0);

// Expects that each tracked call has ended, and that none has started or ended twice.
void ExpectAllEnded(const Script& script);

// Values that picks leave for the test. Any thread.
template <typename T>
class Seen {
 public:
  void Add(T value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    values_.push_back(std::move(value));
  }
  std::vector<T> values() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return values_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_SCRIPTED_PICKER_H_
