// For hosts of the engine that are written in C++: the C ABI with C++ types. Steer's shim for gRPC
// C++ is such a host.
//
// Must not include: anything of gRPC's.
#ifndef STEER_HOST_HPP
#define STEER_HOST_HPP

#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "steer/host_list.hpp"
#include "steer/host_load.hpp"
#include "steer/steer.h"
#include "steer/text.hpp"

namespace steer::host {

// --- The engine ---

// Why this program, which was compiled with this header, cannot use the engine that was loaded.
// Empty: it can. Call it before any other function of the engine.
inline std::string WhyEngineIsTooOld() {
  const uint32_t engine_version = steer_abi_version();
  if (engine_version >= STEER_ABI_VERSION) return "";
  return "this program was compiled for version " + std::to_string(STEER_ABI_VERSION) +
         " of Steer's ABI, but the libsteer that was loaded has version " +
         std::to_string(engine_version) +
         ". Install the libsteer that came with the header steer/steer.h, or a later one, where "
         "the dynamic linker finds it first.";
}

// The names of the policies that the engine has now.
inline std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  steer_string* name = nullptr;
  while (steer_policy_name(names.size(), &name) == STEER_OK) names.push_back(TakeString(name));
  return names;
}

// A name of gRPC's that is taken over, and the policy that took it.
struct TakenName {
  std::string name;
  std::string policy;
};

inline std::vector<TakenName> TakenNames() {
  std::vector<TakenName> names;
  steer_string* name = nullptr;
  steer_string* policy = nullptr;
  while (steer_taken_name(names.size(), &name, &policy) == STEER_OK) {
    names.push_back({TakeString(name), TakeString(policy)});
  }
  return names;
}

// --- Configs ---

struct FreeConfig {
  void operator()(steer_config* config) const { steer_config_free(config); }
};
using ConfigPtr = std::unique_ptr<steer_config, FreeConfig>;

// NULL: the config is refused, and `*error` says why.
inline ConfigPtr ParseConfig(const std::string& policy, std::string_view json, std::string* error) {
  steer_config* config = nullptr;
  const steer_status status = steer_config_parse(ToC(policy), ToC(json), &config, nullptr);
  if (status == STEER_OK) return ConfigPtr(config);
  *error = FromC(steer_last_error());
  return nullptr;
}

// --- The host's table ---

// A method of `Host`, or of one of its base classes, as a C callback.
template <typename Host, auto kMethod, typename Signature = decltype(kMethod)>
struct HostCallback;
template <typename Host, auto kMethod, typename Base, typename Result, typename... Args>
struct HostCallback<Host, kMethod, Result (Base::*)(Args...)> {
  static Result Call(void* ctx, Args... args) noexcept {
    return ((**static_cast<std::shared_ptr<Host>*>(ctx)).*kMethod)(args...);
  }
};

// A table whose callbacks call the methods of `host` with the same names. The table holds a
// reference to `host` until ctx_free.
template <typename Host>
steer_host HostTable(std::shared_ptr<Host> host) {
  steer_host table = {};
  table.struct_size = sizeof(table);
  table.channel = host->Channel();
  table.ctx = new std::shared_ptr<Host>(std::move(host));
  table.ctx_free = [](void* ctx) noexcept { delete static_cast<std::shared_ptr<Host>*>(ctx); };
  table.endpoint_new = HostCallback<Host, &Host::EndpointNew>::Call;
  table.endpoint_matches = HostCallback<Host, &Host::EndpointMatches>::Call;
  table.endpoint_connect = HostCallback<Host, &Host::EndpointConnect>::Call;
  table.endpoint_reset_backoff = HostCallback<Host, &Host::EndpointResetBackoff>::Call;
  table.endpoint_free = HostCallback<Host, &Host::EndpointFree>::Call;
  table.connection_free = HostCallback<Host, &Host::ConnectionFree>::Call;
  table.update_state = HostCallback<Host, &Host::UpdateState>::Call;
  table.request_reresolution = HostCallback<Host, &Host::RequestReresolution>::Call;
  table.run_later = HostCallback<Host, &Host::RunLater>::Call;
  table.timer_start = HostCallback<Host, &Host::TimerStart>::Call;
  table.timer_cancel = HostCallback<Host, &Host::TimerCancel>::Call;
  table.log = HostCallback<Host, &Host::Log>::Call;
  table.load_reports = HostCallback<Host, &Host::LoadReports>::Call;
  table.lacks = Host::kLacks;
  table.words = Host::kWords;
  table.endpoint_new_connection = HostCallback<Host, &Host::EndpointNewConnection>::Call;
  return table;
}

// --- Policies ---

// NULL: the engine has no such policy or could not create it, and `*error` says why.
template <typename Host>
steer_policy* NewPolicy(const std::string& name, std::shared_ptr<Host> host, std::string* error) {
  const steer_host table = HostTable(std::move(host));
  steer_policy* policy = nullptr;
  if (steer_policy_new(ToC(name), &table, &policy) == STEER_OK) return policy;
  *error = FromC(steer_last_error());
  table.ctx_free(table.ctx);
  return nullptr;
}

// Connections that wait to be released together. Any thread may add one; no lock is taken.
class ReleaseQueue {
 public:
  // Returns whether the queue was empty. The caller that adds the first one arranges for TakeAll.
  bool Add(void* connection) {
    Node* former = first_.load(std::memory_order_relaxed);
    auto* const node = new Node{connection, former};
    // Release: pairs with the acquire in TakeAll, which reads the node and may free it at once.
    while (!first_.compare_exchange_weak(former, node, std::memory_order_release,
                                         std::memory_order_relaxed)) {
      node->next = former;
    }
    return former == nullptr;
  }
  // Empties the queue, the last added connection first.
  template <typename Release>
  void TakeAll(const Release& release) {
    Node* next = first_.exchange(nullptr, std::memory_order_acquire);
    while (next != nullptr) {
      const std::unique_ptr<Node> node(next);
      next = node->next;
      release(node->connection);
    }
  }

 private:
  struct Node {
    void* connection;
    Node* next;
  };
  std::atomic<Node*> first_{nullptr};
};

// The base class of hosts: one policy of the engine, its timers, and the connections that it gives
// back on any thread.
//
// Lifetime: made by a host with std::make_shared, held by the host, by the table that the engine
// has, and by each timer and piece of work that may run after the policy's end. So it ends after
// all of them. Methods are serialised unless they say otherwise.
class PolicyHost : public std::enable_shared_from_this<PolicyHost> {
 public:
  using Work = std::function<void()>;

  // While it exists, this thread is in a serialised call of the host. Nests.
  class Serialised {
   public:
    explicit Serialised(const PolicyHost* host) : outer_(std::exchange(current_, host)) {}
    ~Serialised() { current_ = outer_; }
    Serialised(const Serialised&) = delete;
    Serialised& operator=(const Serialised&) = delete;

    static bool IsIn(const PolicyHost* host) { return current_ == host; }

   private:
    static inline thread_local const PolicyHost* current_ = nullptr;
    const PolicyHost* const outer_;
  };

  virtual ~PolicyHost() = default;

  // See steer_host.lacks. A host that lacks something replaces this.
  static constexpr uint64_t kLacks = 0;
  // See steer_host.words. A host whose policies do not speak like gRPC 1.51's replaces this.
  static constexpr uint64_t kWords = 0;

  // See steer_host.channel. A host that knows its channel replaces this.
  uint64_t Channel() const { return 0; }

  // The engine's policy. Null before Start and after ShutDown.
  steer_policy* engine() const { return engine_; }
  void Start(steer_policy* policy) { engine_ = policy; }
  void ShutDown() {
    steer_policy_free(std::exchange(engine_, nullptr));
    for (const auto& [timer, cancel] : std::exchange(timers_, {})) cancel();
  }

  // Runs `work` later as a serialised call, unless the policy has ended by then. Any thread, and
  // with any lock held.
  void Later(Work work) {
    CallLater(0, [self = shared_from_this(), work = std::move(work)] {
      self->Serialise([self, work] {
        const Serialised here(self.get());
        if (self->engine_ != nullptr) work();
      });
    });
  }

  // The following are callbacks of steer_host.

  // Any thread, and with any lock held. Within a serialised call of this host it releases the
  // connection at once. Otherwise one later piece of serialised work releases the connection,
  // together with all that are added until then.
  void ConnectionFree(void* connection) {
    if (Serialised::IsIn(this)) return Release(connection);
    if (!to_release_.Add(connection)) return;
    SerialiseLater([self = shared_from_this()] {
      self->to_release_.TakeAll([&](void* waiting) { self->Release(waiting); });
    });
  }
  void RunLater() {
    Later([this] { steer_policy_run(engine_); });
  }
  void TimerStart(uint64_t timer, uint64_t after_ns) {
    timers_[timer] = CallLater(after_ns, [self = shared_from_this(), timer] {
      self->Serialise([self, timer] {
        const Serialised here(self.get());
        // Does nothing if the timer was cancelled meanwhile.
        if (self->timers_.erase(timer) != 0) steer_policy_timer(self->engine_, timer);
      });
    });
  }
  void TimerCancel(uint64_t timer) {
    const auto started = timers_.extract(timer);
    if (!started.empty()) started.mapped()();
  }

 protected:
  // Calls `work` after `after_ns`, on another thread. Any thread may call this. Returns a function
  // that cancels the call; it does nothing if `work` has already begun.
  virtual Work CallLater(uint64_t after_ns, Work work) = 0;
  // Runs `work` as a serialised call: at once or later, on this thread or another one. Any thread.
  virtual void Serialise(Work work) = 0;
  // The same, but never runs `work` before this returns. Any thread, and with any lock held.
  virtual void SerialiseLater(Work work) = 0;
  // Gives up one reference to a connection.
  virtual void Release(void* connection) = 0;

 private:
  steer_policy* engine_ = nullptr;
  ReleaseQueue to_release_;
  // The functions that cancel the running timers, by number. Empty after ShutDown.
  std::map<uint64_t, Work> timers_;
};

// What a resolver says of one endpoint: see steer_endpoint.
struct EndpointDescriptor {
  struct Attribute {
    std::string key;
    steer_attribute_kind kind;
    // `kind` says which of the two is set.
    std::string text;
    int64_t integer;
  };

  std::vector<std::string> addresses;
  uint32_t weight = 0;
  std::string region;
  std::string zone;
  std::string sub_zone;
  std::string hash_key;
  std::vector<Attribute> attributes;
};

// Endpoints as the engine reads them. Owns all that they point at.
class EndpointList {
 public:
  // Makes room for this many.
  void Reserve(size_t endpoints) { endpoints_.reserve(endpoints); }

  void Add(const EndpointDescriptor& from) {
    using Attribute = EndpointDescriptor::Attribute;
    steer_endpoint endpoint = {};
    endpoint.struct_size = sizeof(endpoint);
    endpoint.addresses =
        KeepAll<steer_str>(from.addresses, [this](const std::string& text) { return Keep(text); });
    endpoint.address_count = from.addresses.size();
    endpoint.weight = from.weight;
    endpoint.region = Keep(from.region);
    endpoint.zone = Keep(from.zone);
    endpoint.sub_zone = Keep(from.sub_zone);
    endpoint.hash_key = Keep(from.hash_key);
    endpoint.attributes =
        KeepAll<steer_attribute>(from.attributes, [this](const Attribute& attribute) {
          return steer_attribute{sizeof(steer_attribute), Keep(attribute.key),
                                 static_cast<int32_t>(attribute.kind), Keep(attribute.text),
                                 attribute.integer};
        });
    endpoint.attribute_count = from.attributes.size();
    endpoints_.push_back(endpoint);
  }

  const std::vector<steer_endpoint>& all() const { return endpoints_; }

 private:
  steer_str Keep(const std::string& text) {
    if (text.empty()) return {};
    auto* const copy = static_cast<char*>(memory_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }
  template <typename To, typename From, typename Convert>
  const To* KeepAll(const std::vector<From>& from, const Convert& convert) {
    if (from.empty()) return nullptr;
    auto* const to = static_cast<To*>(memory_.allocate(from.size() * sizeof(To), alignof(To)));
    for (size_t i = 0; i < from.size(); ++i) new (to + i) To(convert(from[i]));
    return to;
  }

  std::vector<steer_endpoint> endpoints_;
  std::pmr::monotonic_buffer_resource memory_;
};

// gRPC's status code INTERNAL.
constexpr int32_t kInternal = 13;

// A gRPC status code and its text.
struct Status {
  int32_t code = 0;
  std::string message;
};

// A resolver's update: see steer_update. `endpoints` are those whose index in `former` is
// kNewEndpoint, or all if `former` is empty.
struct Resolved {
  const steer_config* config = nullptr;
  EndpointList endpoints;
  std::vector<uint32_t> former;
  uint64_t made_with = 0;
  Status status;
  std::string resolution_note;
  std::string target;
  std::string cluster;
};

// Hands an update to the engine. `*verdict` is what the host tells the resolver. If the result is
// not STEER_OK, the engine has ignored the update.
inline steer_status UpdatePolicy(steer_policy* policy, const Resolved& resolved, Status* verdict) {
  steer_update update = {};
  update.struct_size = sizeof(update);
  update.config = resolved.config;
  update.endpoints = resolved.endpoints.all().data();
  update.endpoint_count = resolved.endpoints.all().size();
  update.code = resolved.status.code;
  update.message = ToC(resolved.status.message);
  update.resolution_note = ToC(resolved.resolution_note);
  update.target = ToC(resolved.target);
  update.former = resolved.former.data();
  update.former_count = resolved.former.size();
  update.made_with = resolved.made_with;
  update.cluster = ToC(resolved.cluster);
  steer_string* message = nullptr;
  const steer_status status = steer_policy_update(policy, &update, &verdict->code, &message);
  verdict->message = TakeString(message);
  if (status != STEER_OK) {
    *verdict = {kInternal, "steer_policy_update: " + FromC(steer_status_text(status))};
  }
  return status;
}

inline void ReportEndpoint(steer_policy* policy, uint64_t endpoint, int32_t state,
                           const Status& why, void* connection) {
  steer_endpoint_report report = {};
  report.struct_size = sizeof(report);
  report.state = state;
  report.code = why.code;
  report.message = ToC(why.message);
  report.connection = connection;
  steer_policy_endpoint_report(policy, endpoint, &report);
}

// Tells the policy about a report that came outside of calls.
inline void ReportLoad(steer_policy* policy, uint64_t endpoint, const Load& load) {
  WithMetrics(load, [&](const steer_metrics& metrics) {
    steer_policy_endpoint_load(policy, endpoint, &metrics);
  });
}

// --- Calls ---

// A call, as a picker sees it. Lives during one pick. `Headers` has
//   bool Find(steer_str name, steer_str* value);   // see steer_call.header
//   char* Allocate(size_t size);                   // memory that lives as long as the call
template <typename Headers>
class PickedCall {
 public:
  // `headers` may be null, and outlives this object otherwise.
  PickedCall(steer_str path, Headers* headers, std::optional<uint64_t> request_hash)
      : headers_(headers) {
    call_.struct_size = sizeof(call_);
    call_.path = path;
    call_.ctx = this;
    call_.request_hash = request_hash.value_or(0);
    call_.has_request_hash = int32_t{request_hash.has_value()};
    if (headers == nullptr) return;
    call_.header = [](void* ctx, steer_str name, steer_str* value) noexcept {
      return int32_t{static_cast<PickedCall*>(ctx)->headers_->Find(name, value)};
    };
    call_.add_header = [](void* ctx, steer_str name, steer_str value) noexcept {
      auto* call = static_cast<PickedCall*>(ctx);
      call->added_.emplace_back(call->Keep(name), call->Keep(value));
      return int32_t{1};
    };
  }
  PickedCall(const PickedCall&) = delete;
  PickedCall& operator=(const PickedCall&) = delete;

  const steer_call* get() const { return &call_; }
  // The added names and values, in order. The texts live as long as the call.
  const std::vector<std::pair<steer_str, steer_str>>& added() const { return added_; }

 private:
  steer_str Keep(steer_str text) const {
    char* copy = headers_->Allocate(text.length);
    if (text.length != 0) std::memcpy(copy, text.data, text.length);
    return {copy, text.length};
  }

  Headers* const headers_;
  steer_call call_ = {};
  std::vector<std::pair<steer_str, steer_str>> added_;
};

// The request hash of an xDS route, from its text. Empty: the text is not a number.
inline std::optional<uint64_t> ParseHash(std::string_view text) {
  uint64_t hash = 0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, hash);
  return error == std::errc() && last == end ? std::optional(hash) : std::nullopt;
}

// Why a pick failed or dropped its call: `picked` is neither complete, nor tracked, nor queued.
inline Status FailureOf(steer_picked picked) {
  if (picked.kind < 0) {
    const auto status = static_cast<int32_t>(-picked.kind);
    return {kInternal, "steer_picker_pick: " + FromC(steer_status_text(status))};
  }
  const auto* failure = static_cast<const steer_pick_failure*>(picked.value);
  return {failure->code, FromC(failure->message)};
}

// Tells a tracker about the end of its call. `metrics` is the serialised load report, or empty.
// `report` is the same one decoded, or null.
inline void FinishCall(steer_call_tracker* tracker, int32_t code, steer_str message,
                       steer_str metrics, const steer_metrics* report = nullptr) {
  steer_call_finish finish = {};
  finish.struct_size = sizeof(finish);
  finish.code = code;
  finish.message = message;
  finish.metrics = metrics;
  finish.report = report;
  steer_call_tracker_finish(tracker, &finish);
}

}  // namespace steer::host

#endif  // STEER_HOST_HPP
