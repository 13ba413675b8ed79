// Part of steer.hpp, which users include: custom pickers.
#ifndef STEER_CPP_PICKER_HPP
#define STEER_CPP_PICKER_HPP

#include <cstdint>
#include <memory>
#include <string>
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

// The parts of a new picker. `config` and `state` came from the functions of PickerType, and
// outlive the picker. The picker copies `backends` and `channel` if it keeps them. A Build cannot
// be copied: the wants of a copy would be lost.
template <class Config = NotGiven, class State = NotGiven>
struct Build : Wants {
  const Config& config;
  State& state;
  Backends backends;
  Channel channel;

  // Only this header makes it.
  STEER_LOCAL Build(const Config& c, State& s, Backends b, Channel of)
      : config(c), state(s), backends(std::move(b)), channel(of) {}
  Build(const Build&) = delete;
  Build& operator=(const Build&) = delete;
};

namespace detail {

// The functions of one picker type, and its hooks. It is the `ctx` of the C table.
template <class ConfigFn, class StateFn, class DataFn, class TimerFn, class LoadFn, class MakeFn>
struct PickerHooks {
  // Whether the user gave this function. Otherwise the table does not have its hook.
  template <class Fn>
  static constexpr bool kGiven = !std::is_same_v<Fn, NotGiven>;

  template <class Fn, class... Args>
  STEER_LOCAL static auto ResultOf() {
    if constexpr (kGiven<Fn>) {
      return Type<std::invoke_result_t<const Fn&, Args...>>();
    } else {
      return Type<NotGiven>();
    }
  }
  template <class T>
  struct Type {
    using type = T;
  };

  using Config = std::decay_t<typename decltype(ResultOf<ConfigFn, const Json&>())::type>;
  using State = std::decay_t<typename decltype(ResultOf<StateFn, Channel>())::type>;
  using Data = std::decay_t<typename decltype(ResultOf<DataFn, State&, Backend>())::type>;
  using BuildOf = Build<Config, State>;

  static constexpr bool kMakes = std::is_invocable_v<const MakeFn&, BuildOf&>;
  static_assert(kMakes,
                "the function given to Register takes `auto& build`, by reference, and is const: "
                "what a copy of it wants would be lost");
  template <bool kCan, class = void>
  struct Makes {
    using type = NotGiven;
  };
  template <class Any>
  struct Makes<true, Any> : std::invoke_result<const MakeFn&, BuildOf&> {};
  using Pick = std::decay_t<typename Makes<kMakes>::type>;

  static_assert(
      !kMakes || std::is_invocable_r_v<Choice, const Pick&, const Call&>,
      "a picker is called as `Choice pick(const Call&) const`, from many threads at once");

  struct Instance {
    STEER_LOCAL Instance(const PickerHooks& hooks, steer_channel* c)
        : functions(hooks), channel(c), state(hooks.NewState(Channel(c))) {}
    STEER_LOCAL const Config& ConfigOf(const void* config) const {
      if constexpr (kGiven<ConfigFn>) {
        return static_cast<const Tagged<Config>*>(static_cast<const Tag*>(config))->value;
      } else {
        return none;
      }
    }
    const PickerHooks& functions;
    Channel channel;
    State state;
    NotGiven none;
  };

  // The picker behind the C table, with the wants that the engine reads after `picker_new`.
  struct Made {
    STEER_LOCAL Made(const MakeFn& make, BuildOf& build) : pick(make(build)) {}
    Pick pick;
    Wants wants;
    std::vector<steer_str> header_texts;
  };

  ConfigFn config_fn;
  StateFn state_fn;
  DataFn data_fn;
  TimerFn timer_fn;
  LoadFn load_fn;
  MakeFn make_fn;
  FaultRule fault_rule;

  STEER_LOCAL State NewState(Channel channel) const {
    if constexpr (kGiven<StateFn>) {
      return state_fn(channel);
    } else {
      return State();
    }
  }

  STEER_LOCAL static const PickerHooks& Of(void* ctx) {
    return *static_cast<const PickerHooks*>(ctx);
  }

  STEER_LOCAL static void CtxFree(void* ctx) { delete static_cast<PickerHooks*>(ctx); }

  STEER_LOCAL static void ConfigFree(void* config) { FreeTagged<Config>(config); }

  STEER_LOCAL static int32_t InstanceNew(void* ctx, steer_channel* channel, void** instance) {
    return Guarded("the channel state's function", [&]() -> int32_t {
      *instance = new Instance(Of(ctx), channel);
      return 0;
    });
  }

  STEER_LOCAL static void InstanceFree(void* instance) { delete static_cast<Instance*>(instance); }

  STEER_LOCAL static int32_t BackendNew(void* instance, const steer_backend* backend, void** data) {
    return Guarded("the backend data's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      *data = NewTagged<Data>([&] { return mine.functions.data_fn(mine.state, Backend(backend)); });
      return 0;
    });
  }

  STEER_LOCAL static void BackendFree(void* data) { FreeTagged<Data>(data); }

  STEER_LOCAL static int32_t PickerNew(void* instance, const void* config,
                                       const steer_backends* backends, steer_wants* wants,
                                       void** picker) {
    return Guarded("the picker's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      BuildOf build(mine.ConfigOf(config), mine.state, Backends(backends), mine.channel);
      auto made = std::make_unique<Made>(mine.functions.make_fn, build);
      made->wants = static_cast<Wants&>(build);
      made->wants.Write(wants, &made->header_texts);
      *picker = made.release();
      return 0;
    });
  }

  STEER_LOCAL static void PickerFree(void* picker) { delete static_cast<Made*>(picker); }

  STEER_LOCAL static steer_choice PickOne(const void* picker, const steer_call* call) {
    const Made& made = *static_cast<const Made*>(picker);
    return Guarded("the picker", [&] { return Choice(made.pick(Call(call))).Release(); });
  }

  STEER_LOCAL static void TimerOut(void* instance, uint64_t timer) {
    Guarded("the timer's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      mine.functions.timer_fn(mine.state, timer);
      return 0;
    });
  }

  STEER_LOCAL static void LoadReported(void* instance, const steer_backend* backend,
                                       const steer_metrics* report) {
    Guarded("the load report's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      mine.functions.load_fn(mine.state, Backend(backend), steer::LoadReport(report));
      return 0;
    });
  }

  STEER_LOCAL steer_picker_type Table(std::string_view name) {
    steer_picker_type table = {};
    table.struct_size = sizeof table;
    table.name = ToC(name);
    table.ctx = this;
    table.ctx_free = CtxFree;
    if constexpr (kGiven<ConfigFn>) {
      table.config_new = ConfigNew<PickerHooks>;
      table.config_free = ConfigFree;
    }
    table.instance_new = InstanceNew;
    table.instance_free = InstanceFree;
    if constexpr (kGiven<DataFn>) {
      table.backend_new = BackendNew;
      table.backend_free = BackendFree;
    }
    table.picker_new = PickerNew;
    table.picker_free = PickerFree;
    table.pick = PickOne;
    table.call_started = CallStarted;
    table.call_finished = CallFinished;
    if constexpr (kGiven<TimerFn>) table.timer = TimerOut;
    if constexpr (kGiven<LoadFn>) table.load_report = LoadReported;
    table.on_fault = static_cast<int32_t>(fault_rule.what);
    table.faults_per_minute = fault_rule.per_minute;
    return table;
  }
};

}  // namespace detail

// A picker type. It is made of functions: lambdas, or objects that can be called. All functions
// except that of Register are optional. They are called for many channels at once, and one at a
// time for each channel.
template <class ConfigFn, class StateFn, class DataFn, class TimerFn, class LoadFn>
class PickerType {
 public:
  STEER_LOCAL PickerType(std::string name, ConfigFn config, StateFn state, DataFn data,
                         TimerFn timer, LoadFn load, detail::FaultRule fault_rule = {})
      : name_(std::move(name)),
        config_(std::move(config)),
        state_(std::move(state)),
        data_(std::move(data)),
        timer_(std::move(timer)),
        load_(std::move(load)),
        fault_rule_(fault_rule) {}

  // Reads a config: `Config config(const Json&)`. Build::config is its result.
  template <class Fn>
  STEER_LOCAL auto Config(Fn fn) && {
    return PickerType<Fn, StateFn, DataFn, TimerFn, LoadFn>(
        std::move(name_), std::move(fn), std::move(state_), std::move(data_), std::move(timer_),
        std::move(load_), fault_rule_);
  }

  // Makes the state that the successive pickers of one channel share: `State state(Channel)`.
  // Build::state is its result.
  template <class Fn>
  STEER_LOCAL auto ChannelState(Fn fn) && {
    return PickerType<ConfigFn, Fn, DataFn, TimerFn, LoadFn>(
        std::move(name_), std::move(config_), std::move(fn), std::move(data_), std::move(timer_),
        std::move(load_), fault_rule_);
  }

  // Makes the data of a backend: `Data data(State&, const Backend&)`. Backend::data<Data>() is its
  // result. The data lasts as long as the resolver lists the backend's addresses, also across new
  // pickers and lost connections.
  template <class Fn>
  STEER_LOCAL auto BackendData(Fn fn) && {
    return PickerType<ConfigFn, StateFn, Fn, TimerFn, LoadFn>(
        std::move(name_), std::move(config_), std::move(state_), std::move(fn), std::move(timer_),
        std::move(load_), fault_rule_);
  }

  // Called when a timer has expired: `void timer(State&, uint64_t timer)`. 0: Channel::Wake was
  // called.
  template <class Fn>
  STEER_LOCAL auto Timer(Fn fn) && {
    return PickerType<ConfigFn, StateFn, DataFn, Fn, LoadFn>(
        std::move(name_), std::move(config_), std::move(state_), std::move(data_), std::move(fn),
        std::move(load_), fault_rule_);
  }

  // Called when a backend has sent a load report out of band: `void load(State&, const Backend&,
  // const LoadReport&)`. Channel::RequestLoadReports asks for them. Backend::data has its data.
  template <class Fn>
  STEER_LOCAL auto OnLoadReport(Fn fn) && {
    return PickerType<ConfigFn, StateFn, DataFn, TimerFn, Fn>(
        std::move(name_), std::move(config_), std::move(state_), std::move(data_),
        std::move(timer_), std::move(fn), fault_rule_);
  }

  // Sets the effect of a fault. Up to `faults_per_minute` faults of picks and of calls' hooks per
  // minute only fail the calls that meet them. More faults have the effect. 0 means none with
  // kFallBack, and any number with kFail.
  STEER_LOCAL PickerType OnFault(steer::OnFault what, uint32_t faults_per_minute = 0) && {
    fault_rule_ = {what, faults_per_minute};
    return std::move(*this);
  }

  // Registers the type. `make` makes a picker each time the READY backends or the config change:
  // `Pick make(Build<Config, State>&)`, or `auto make(auto& build)`. `Pick` is a lambda or an
  // object, called as `Choice pick(const Call&) const` from many threads at once. Returns 0, or
  // another number on failure. `api->last_error()` then has the reason. An entry returns the same.
  template <class Make>
  STEER_LOCAL int32_t Register(const steer_api* api, Make make) && {
    using Hooks = detail::PickerHooks<ConfigFn, StateFn, DataFn, TimerFn, LoadFn, Make>;
    detail::engine = api;
    return detail::Guarded("Picker::Register", [&]() -> int32_t {
      auto* const hooks =
          new Hooks{std::move(config_), std::move(state_), std::move(data_), std::move(timer_),
                    std::move(load_),   std::move(make),   fault_rule_};
      const steer_picker_type table = hooks->Table(name_);
      return api->register_picker(&table);  // owns the hooks, also when it fails
    });
  }

 private:
  std::string name_;
  ConfigFn config_;
  StateFn state_;
  DataFn data_;
  TimerFn timer_;
  LoadFn load_;
  detail::FaultRule fault_rule_;
};

// A picker type with this name in `loadBalancingConfig`.
STEER_LOCAL inline auto Picker(std::string name) {
  return PickerType<NotGiven, NotGiven, NotGiven, NotGiven, NotGiven>(std::move(name), {}, {}, {},
                                                                      {}, {});
}

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_PICKER_HPP
