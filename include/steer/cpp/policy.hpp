// Part of steer.hpp, which users include: custom policies.
#ifndef STEER_CPP_POLICY_HPP
#define STEER_CPP_POLICY_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "steer/cpp/backend.hpp"
#include "steer/cpp/base.hpp"
#include "steer/cpp/call.hpp"
#include "steer/cpp/channel.hpp"
#include "steer/cpp/config.hpp"
#include "steer/cpp/hooks.hpp"
#include "steer/cpp/load_report.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// The full level: a policy also decides which connections there are, and which state they amount
// to.

// A resolver's answer. Valid during Policy::Update. Copies of `endpoints` can be kept.
class Resolved {
 public:
  STEER_LOCAL explicit Resolved(const steer_resolved* resolved)
      : endpoints(resolved->endpoints), resolved_(resolved) {}

  // In the resolver's order. May be empty.
  const Backends endpoints;

  // The result of the config's function. `Config` is its type. Another type is a fault, and ends
  // the process without exceptions.
  template <class Config>
  STEER_LOCAL const Config& config() const {
    if (const Config* const found = FindConfig<Config>()) return *found;
    detail::Mistake("Resolved::config<T>: T is not what the config's function returns");
  }
  // The same. NULL if it has another type.
  template <class Config>
  STEER_LOCAL const Config* FindConfig() const {
    return detail::FindTagged<const Config>(const_cast<void*>(resolved_->config));
  }
  // Not kOk: the resolver failed, and `endpoints` is empty.
  STEER_LOCAL Code code() const { return static_cast<Code>(resolved_->code); }
  STEER_LOCAL std::string_view message() const { return View(resolved_->message); }
  // Context for people. Add it to the status when there are no endpoints.
  STEER_LOCAL std::string_view resolution_note() const { return View(resolved_->resolution_note); }

 private:
  const steer_resolved* resolved_;
};

// The base class of policies. The functions of one object are called one at a time.
class Policy {
 public:
  STEER_LOCAL virtual ~Policy() = default;
  // Returns kOk if the policy accepts the update, otherwise the code for the resolver. See also
  // PolicyChannel::Refuse.
  virtual Code Update(const Resolved& resolved) = 0;
  // An endpoint of PolicyChannel::NewEndpoint has changed its state. `code` and `message` say why
  // it failed.
  STEER_LOCAL virtual void EndpointReport(uint64_t /*endpoint*/, steer_state /*state*/,
                                          Code /*code*/, std::string_view /*message*/) {}
  // A child of PolicyChannel::NewChild has published a state and a picker. By default, publishes
  // the same for this policy.
  STEER_LOCAL virtual void ChildChanged(uint64_t child) {
    detail::engine->child_publish(channel_of_children, child);
  }
  // The channel is to leave IDLE: a call waits, or the application waits for a connection. If all
  // endpoints are IDLE after it, the engine connects the one that was made first.
  STEER_LOCAL virtual void ExitIdle() {}
  STEER_LOCAL virtual void Timer(uint64_t /*timer*/) {}
  // Channel::Wake was called.
  STEER_LOCAL virtual void Woken() {}
  // An endpoint has sent a load report out of band: see Channel::RequestLoadReports.
  STEER_LOCAL virtual void LoadReported(uint64_t /*endpoint*/, const LoadReport& /*report*/) {}

  // Only this header uses it.
  const steer_channel* channel_of_children = nullptr;
};

namespace detail {

struct AnyPicker {
  STEER_LOCAL virtual ~AnyPicker() = default;
  virtual Choice Pick(const Call& call) const = 0;
};

template <class Function>
struct FunctionPicker final : AnyPicker {
  STEER_LOCAL explicit FunctionPicker(Function f) : function(std::move(f)) {}
  STEER_LOCAL Choice Pick(const Call& call) const override { return function(call); }
  Function function;
};

}  // namespace detail

// The channel of a policy. Usable only within the policy's functions.
class PolicyChannel : public Channel {
 public:
  using Channel::Channel;

  // Makes an endpoint for the entry at this index of the latest update, and returns its number. The
  // endpoint reports its state soon after, and does not connect before Connect. 0: it cannot be
  // made.
  STEER_LOCAL uint64_t NewEndpoint(size_t index) const {
    return detail::engine->endpoint_new(get(), index);
  }
  // Whether NewEndpoint would make the same endpoint for this index of the latest update.
  STEER_LOCAL bool Matches(uint64_t endpoint, size_t index) const {
    return detail::engine->endpoint_matches(get(), endpoint, index) != 0;
  }
  STEER_LOCAL void Connect(uint64_t endpoint) const {
    detail::engine->endpoint_connect(get(), endpoint);
  }
  STEER_LOCAL void ResetBackoff(uint64_t endpoint) const {
    detail::engine->endpoint_reset_backoff(get(), endpoint);
  }
  STEER_LOCAL void Drop(uint64_t endpoint) const { detail::engine->endpoint_free(get(), endpoint); }
  STEER_LOCAL void RequestReresolution() const { detail::engine->request_reresolution(get()); }

  // Makes a child: another policy, which is run as a channel's policy is. People read `name` in the
  // statistics. Returns its number. Children end with the policy.
  STEER_LOCAL uint64_t NewChild(std::string_view name) const {
    return detail::engine->child_new(get(), ToC(name));
  }
  // Gives a child its config, and all endpoints of the latest update. Returns what Policy::Update
  // may return.
  STEER_LOCAL Code UpdateChild(uint64_t child, ChildConfig config) const {
    return UpdateChild(child, config, nullptr, 0, nullptr);
  }
  // The same, with the endpoints of these indices of the latest update, in this order. `weights`
  // has a weight for each of them, or is empty for their own.
  STEER_LOCAL Code UpdateChild(uint64_t child, ChildConfig config,
                               const std::vector<size_t>& endpoints,
                               const std::vector<uint32_t>& weights = {}) const {
    static const size_t kNone = 0;
    const bool weighted = !weights.empty() && weights.size() == endpoints.size();
    return UpdateChild(child, config, endpoints.empty() ? &kNone : endpoints.data(),
                       endpoints.size(), weighted ? weights.data() : nullptr);
  }
  // The state that a child has published. Nothing: none yet.
  STEER_LOCAL std::optional<steer_state> ChildState(uint64_t child) const {
    const int32_t state = detail::engine->child_state(get(), child);
    if (state < 0) return std::nullopt;
    return static_cast<steer_state>(state);
  }
  STEER_LOCAL void DropChild(uint64_t child) const { detail::engine->child_free(get(), child); }
  // Publishes the state of the first of these children, and a picker that may leave calls to them
  // by Choice::Child. Returns false if one of them has published nothing yet.
  template <class Pick>
  STEER_LOCAL bool PublishChildren(const std::vector<uint64_t>& children, Pick pick,
                                   const Wants& wants = {}) const {
    constexpr int32_t kStateOfFirst = -1;
    return PublishPicker(kStateOfFirst, {}, children, std::move(pick), wants);
  }

  // For Policy::Update, which returns the result: refuses an update with this status.
  STEER_LOCAL Code Refuse(Code code, std::string_view message) const {
    detail::engine->fail(static_cast<int32_t>(code), ToC(message));
    return code;
  }

  // Publishes a state in which calls wait.
  STEER_LOCAL bool Publish(steer_state state) const { return Publish(state, Code::kOk, {}); }
  // Publishes TRANSIENT_FAILURE. Calls fail with this status.
  STEER_LOCAL bool PublishFailure(Code code, std::string_view message) const {
    return Publish(STEER_TRANSIENT_FAILURE, code, message);
  }
  // Publishes a picker, `Choice pick(const Call&) const`, whose choices are indices into
  // `endpoints`. Returns false if one of these is not READY.
  template <class Pick>
  STEER_LOCAL bool Publish(steer_state state, const std::vector<uint64_t>& endpoints, Pick pick,
                           const Wants& wants = {}) const {
    return PublishPicker(state, endpoints, {}, std::move(pick), wants);
  }

 private:
  STEER_LOCAL Code UpdateChild(uint64_t child, ChildConfig config, const size_t* endpoints,
                               size_t count, const uint32_t* weights) const {
    steer_child_update update = {};
    update.struct_size = sizeof update;
    update.config = config.get();
    update.endpoints = endpoints;
    update.endpoint_count = count;
    update.weights = weights;
    return static_cast<Code>(detail::engine->child_update(get(), child, &update));
  }
  template <class Pick>
  STEER_LOCAL bool PublishPicker(int32_t state, const std::vector<uint64_t>& endpoints,
                                 const std::vector<uint64_t>& children, Pick pick,
                                 const Wants& wants) const {
    std::vector<steer_str> texts;
    steer_wants raw_wants = {};
    raw_wants.struct_size = sizeof raw_wants;
    wants.Write(&raw_wants, &texts);
    steer_publication publication = {};
    publication.struct_size = sizeof publication;
    publication.state = state;
    publication.endpoints = endpoints.data();
    publication.endpoint_count = endpoints.size();
    publication.children = children.data();
    publication.child_count = children.size();
    publication.wants = &raw_wants;
    detail::AnyPicker* const picker = new detail::FunctionPicker<Pick>(std::move(pick));
    publication.picker = picker;
    return detail::engine->publish(get(), &publication) == STEER_OK;
  }
  STEER_LOCAL bool Publish(steer_state state, Code code, std::string_view message) const {
    steer_publication publication = {};
    publication.struct_size = sizeof publication;
    publication.state = state;
    publication.code = static_cast<int32_t>(code);
    publication.message = ToC(message);
    return detail::engine->publish(get(), &publication) == STEER_OK;
  }
};

namespace detail {

// The functions of one policy type, and its hooks. It is the `ctx` of the C table.
template <class ConfigFn, class MakeFn>
struct PolicyHooks {
  using Config = std::decay_t<std::invoke_result_t<const ConfigFn&, const Json&>>;

  ConfigFn config_fn;
  MakeFn make_fn;
  FaultRule fault_rule;

  STEER_LOCAL static const PolicyHooks& Of(void* ctx) {
    return *static_cast<const PolicyHooks*>(ctx);
  }
  STEER_LOCAL static Policy& Get(void* policy) { return *static_cast<Policy*>(policy); }

  STEER_LOCAL static int32_t PolicyNew(void* ctx, steer_channel* channel, void** policy) {
    return Guarded("the policy's function", [&]() -> int32_t {
      std::unique_ptr<Policy> made = Of(ctx).make_fn(PolicyChannel(channel));
      made->channel_of_children = channel;
      *policy = made.release();
      return 0;
    });
  }

  STEER_LOCAL static int32_t Update(void* policy, const steer_resolved* resolved) {
    return Guarded("Policy::Update", [&]() -> int32_t {
      return static_cast<int32_t>(Get(policy).Update(Resolved(resolved)));
    });
  }

  STEER_LOCAL static void EndpointReport(void* policy, uint64_t endpoint, int32_t state,
                                         int32_t code, steer_str message) {
    Guarded("Policy::EndpointReport", [&]() -> int32_t {
      Get(policy).EndpointReport(endpoint, static_cast<steer_state>(state), static_cast<Code>(code),
                                 View(message));
      return 0;
    });
  }

  STEER_LOCAL static steer_choice PickOne(const void* picker, const steer_call* call) {
    return Guarded("the picker", [&] {
      return static_cast<const AnyPicker*>(picker)->Pick(Call(call)).Release();
    });
  }

  STEER_LOCAL steer_policy_type Table(std::string_view name) {
    steer_policy_type table = {};
    table.struct_size = sizeof table;
    table.name = ToC(name);
    table.ctx = this;
    table.ctx_free = [](void* ctx) { delete static_cast<PolicyHooks*>(ctx); };
    table.config_new = ConfigNew<PolicyHooks>;
    table.config_free = FreeTagged<Config>;
    table.policy_new = PolicyNew;
    table.policy_free = [](void* policy) { delete static_cast<Policy*>(policy); };
    table.update = Update;
    table.endpoint_report = EndpointReport;
    table.exit_idle = [](void* policy) {
      Guarded("Policy::ExitIdle", [&]() -> int32_t { return Get(policy).ExitIdle(), 0; });
    };
    table.timer = [](void* policy, uint64_t timer) {
      Guarded("Policy::Timer", [&]() -> int32_t {
        timer == 0 ? Get(policy).Woken() : Get(policy).Timer(timer);
        return 0;
      });
    };
    table.load_report = [](void* policy, uint64_t endpoint, const steer_metrics* report) {
      Guarded("Policy::LoadReported", [&]() -> int32_t {
        return Get(policy).LoadReported(endpoint, LoadReport(report)), 0;
      });
    };
    table.child_changed = [](void* policy, uint64_t child) {
      Guarded("Policy::ChildChanged",
              [&]() -> int32_t { return Get(policy).ChildChanged(child), 0; });
    };
    table.picker_free = [](void* picker) { delete static_cast<AnyPicker*>(picker); };
    table.pick = PickOne;
    table.call_started = CallStarted;
    table.call_finished = CallFinished;
    table.on_fault = static_cast<int32_t>(fault_rule.what);
    table.faults_per_minute = fault_rule.per_minute;
    return table;
  }
};

}  // namespace detail

// Registers a policy type. `config` reads a config: `Config config(const Json&)`. `make` makes one
// channel's policy: `std::unique_ptr<Policy> make(PolicyChannel)`. The effect of faults is as in
// PickerType::OnFault, and the result as in PickerType::Register.
template <class ConfigFn, class MakeFn>
STEER_LOCAL int32_t RegisterPolicy(const steer_api* api, std::string_view name, ConfigFn config,
                                   MakeFn make, OnFault on_fault = OnFault::kFallBack,
                                   uint32_t faults_per_minute = 0) {
  detail::engine = api;
  return detail::Guarded("RegisterPolicy", [&]() -> int32_t {
    auto* const hooks = new detail::PolicyHooks<ConfigFn, MakeFn>{
        std::move(config), std::move(make), {on_fault, faults_per_minute}};
    const steer_policy_type table = hooks->Table(name);
    return api->register_policy(&table);  // owns the hooks, also when it fails
  });
}

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_POLICY_HPP
