// Checks within which functions and on which threads the engine makes its callbacks, by the rules
// of docs/ABI.md. This file is between the shim and the engine: the linker sends the shim's calls
// of the engine here (--wrap), and each policy gets a table from here that wraps the shim's.
//
// Not for ThreadSanitizer: the synchronisation in this file would hide races.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "steer/steer.h"

namespace {

struct Rule {
  const char* callback;
  bool serialised;
  const char* within;
};

constexpr bool SERIALISED = true;
constexpr bool ANY = false;
#define STEER_HOST_CALLBACK(callback, threads, within) {#callback, threads, within},
constexpr Rule kRules[] = {
#include "../../support/host_callbacks.inc"
};
#undef STEER_HOST_CALLBACK
#define STEER_HOST_CALLBACK(callback, threads, within) constexpr char k_##callback[] = #callback;
#include "../../support/host_callbacks.inc"
#undef STEER_HOST_CALLBACK

const Rule& RuleOf(std::string_view callback) {
  for (const Rule& rule : kRules) {
    if (callback == rule.callback) return rule;
  }
  std::abort();
}

bool Allows(const Rule& rule, std::string_view function) {
  std::string_view rest = rule.within;
  if (rest == "anywhere") return true;
  while (true) {
    const size_t end = rest.find(", ");
    if (rest.substr(0, end) == function) return true;
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 2);
  }
}

// The shim's table of one policy, and the thread that is in a serialised call for this policy.
struct Host {
  explicit Host(const steer_host& of_shim) : of_shim(of_shim) {}

  const steer_host of_shim;
  std::atomic<std::thread::id> thread{};
  std::atomic<bool> freed{false};
};
using HostPtr = std::shared_ptr<Host>;

class Hosts {
 public:
  static Hosts& Get() {
    static auto* const hosts = new Hosts;
    return *hosts;
  }
  void Add(steer_policy* policy, HostPtr host) {
    const std::lock_guard<std::mutex> lock(mutex_);
    hosts_[policy] = std::move(host);
  }
  HostPtr Find(steer_policy* policy) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = hosts_.find(policy);
    return found == hosts_.end() ? nullptr : found->second;
  }
  HostPtr Remove(steer_policy* policy) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = hosts_.extract(policy);
    return found.empty() ? nullptr : found.mapped();
  }

 private:
  std::mutex mutex_;
  std::map<steer_policy*, HostPtr> hosts_;
};

// The innermost function of the engine that this thread is in.
thread_local const char* innermost = "none";

[[noreturn]] void Fail(const char* what, const char* how) {
  std::fprintf(stderr, "stress: %s came %s\n", what, how);
  std::abort();
}

class Within {
 public:
  // `host`: the host of a serialised call; null: the call is not serialised.
  explicit Within(const char* function, HostPtr host = nullptr)
      : outer_(std::exchange(innermost, function)), host_(std::move(host)) {
    if (host_ == nullptr) return;
    before_ = host_->thread.exchange(std::this_thread::get_id());
    if (before_ != std::thread::id() && before_ != std::this_thread::get_id()) {
      Fail(function, "from two threads at once");
    }
  }
  ~Within() {
    innermost = outer_;
    if (host_ != nullptr) host_->thread = before_;
  }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  const char* const outer_;
  const HostPtr host_;
  std::thread::id before_;
};

Host& Came(std::string_view callback, void* ctx) {
  Host& host = **static_cast<HostPtr*>(ctx);
  const Rule& rule = RuleOf(callback);
  if (!Allows(rule, innermost)) Fail(rule.callback, (std::string("within: ") + innermost).c_str());
  if (rule.serialised) {
    if (host.thread.load() != std::this_thread::get_id()) Fail(rule.callback, "on another thread");
    if (host.freed && callback != "endpoint_free") Fail(rule.callback, "after the end");
  }
  return host;
}

// Checks a callback and passes it on to the shim's.
template <auto kCallback, const char* kName>
struct Checked;
template <typename Result, typename... Args, Result (*steer_host::*kCallback)(void*, Args...),
          const char* kName>
struct Checked<kCallback, kName> {
  static Result Call(void* ctx, Args... args) {
    Host& host = Came(kName, ctx);
    return (host.of_shim.*kCallback)(host.of_shim.ctx, args...);
  }
};

template <auto kCallback, const char* kName>
void Check(steer_host* table) {
  if (table->*kCallback != nullptr) table->*kCallback = Checked<kCallback, kName>::Call;
}

void FreeHost(void* ctx) {
  const Host& host = Came("ctx_free", ctx);
  host.of_shim.ctx_free(host.of_shim.ctx);
  delete static_cast<HostPtr*>(ctx);
}

}  // namespace

#define STEER_WRAP_EVENT(function, parameters, arguments)  \
  steer_status __real_##function parameters;               \
  steer_status __wrap_##function parameters {              \
    const Within here("event", Hosts::Get().Find(policy)); \
    return __real_##function arguments;                    \
  }
#define STEER_WRAP(name, result, function, parameters, arguments) \
  result __real_##function parameters;                            \
  result __wrap_##function parameters {                           \
    const Within here(name);                                      \
    return __real_##function arguments;                           \
  }

extern "C" {

STEER_WRAP_EVENT(steer_policy_update,
                 (steer_policy * policy, const steer_update* update, int32_t* code,
                  steer_string** message),
                 (policy, update, code, message))
STEER_WRAP_EVENT(steer_policy_endpoint_report,
                 (steer_policy * policy, uint64_t endpoint, const steer_endpoint_report* report),
                 (policy, endpoint, report))
STEER_WRAP_EVENT(steer_policy_endpoint_load,
                 (steer_policy * policy, uint64_t endpoint, const steer_metrics* metrics),
                 (policy, endpoint, metrics))
STEER_WRAP_EVENT(steer_policy_exit_idle, (steer_policy * policy), (policy))
STEER_WRAP_EVENT(steer_policy_reset_backoff, (steer_policy * policy), (policy))
STEER_WRAP_EVENT(steer_policy_timer, (steer_policy * policy, uint64_t timer), (policy, timer))
STEER_WRAP_EVENT(steer_policy_run, (steer_policy * policy), (policy))

STEER_WRAP("pick", steer_picked, steer_picker_pick,
           (const steer_picker* picker, const steer_call* call), (picker, call))
STEER_WRAP("picker free", void, steer_picker_free, (steer_picker * picker), (picker))
STEER_WRAP("tracker", void, steer_call_tracker_start, (steer_call_tracker * tracker), (tracker))
STEER_WRAP("tracker", void, steer_call_tracker_finish,
           (steer_call_tracker * tracker, const steer_call_finish* finish), (tracker, finish))
STEER_WRAP("tracker free", void, steer_call_tracker_free, (steer_call_tracker * tracker), (tracker))

STEER_WRAP("statistics", steer_status, steer_stats_json, (steer_string * *text), (text))
STEER_WRAP("statistics", steer_status, steer_stats_prometheus, (steer_string * *text), (text))

steer_status __real_steer_policy_new(steer_str, const steer_host*, steer_policy**);
steer_status __wrap_steer_policy_new(steer_str name, const steer_host* of_shim,
                                     steer_policy** policy) {
  const auto host = std::make_shared<Host>(*of_shim);
  steer_host table = *of_shim;
#define STEER_HOST_CALLBACK(callback, threads, within) \
  Check<&steer_host::callback, k_##callback>(&table);
#include "../../support/host_callbacks.inc"
#undef STEER_HOST_CALLBACK
  table.ctx = new HostPtr(host);
  table.ctx_free = FreeHost;
  const Within here("new");
  const steer_status status = __real_steer_policy_new(name, &table, policy);
  if (status == STEER_OK) {
    Hosts::Get().Add(*policy, host);
  } else {
    delete static_cast<HostPtr*>(table.ctx);
  }
  return status;
}

void __real_steer_policy_free(steer_policy*);
void __wrap_steer_policy_free(steer_policy* policy) {
  HostPtr host = Hosts::Get().Remove(policy);
  if (host != nullptr) host->freed = true;
  const Within here("free", std::move(host));
  __real_steer_policy_free(policy);
}

}  // extern "C"
