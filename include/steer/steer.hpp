// Load-balancing policies of one's own in C++17: lambdas or classes in, a table of the C ABI out.
//
//   #include <steer/steer.hpp>
//
//   static int32_t Entry(const steer_api* api) {
//     return steer::Picker("by_zone")
//         .Config([](const steer::Json& json) { return json["zone"].Required().String(); })
//         .Register(api, [](auto& build) {
//           size_t chosen = 0;
//           while (chosen + 1 < build.backends.size() &&
//                  build.backends[chosen].zone() != build.config) ++chosen;
//           return [chosen](const steer::Call&) { return steer::Choice::Complete(chosen); };
//         });
//   }
//   STEER_PLUGIN(by_zone_plugin, "by_zone", "1.0", Entry)
//
// A program that links this hands `by_zone_plugin` to `steer_register_plugin()` before
// `steer::Register()`; as a shared library it is loaded by `steer_load_plugin()`.
//
// Works without exceptions and without RTTI. Where there are exceptions, those of the user's
// functions go no further than this header: the policy's fault is counted and logged with their
// text, and round robin takes its place. (Destructors must not throw, as ever.)
//
// Must not include: anything of gRPC's.
#ifndef STEER_STEER_HPP
#define STEER_STEER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__cpp_exceptions)
#include <exception>
#endif

#include "steer/picker.h"
#include "steer/steer.h"
#include "steer/text.hpp"

namespace steer {

// gRPC's status codes. gRFC A54 says which of them a picker may fail calls with.
enum class Code : int32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// As long as the text is: see where it came from.
inline std::string_view View(steer_str text) { return {text.data, text.length}; }

// In place of what users leave out. (Not `None`: Xlib.h has a macro of that name.)
struct NotGiven {};

namespace detail {

// The engine, for what is made without a channel at hand. There is one in a process, and one of
// these in each library, set when its first type is registered.
#if defined(__GNUC__)
__attribute__((visibility("hidden")))
#endif
inline const steer_api* engine = nullptr;

// What a hook returns after a fault.
struct Failed {
  operator int32_t() const { return 1; }
  operator steer_choice() const { return choice; }
  steer_choice choice;
};

// Runs a hook's body. An exception ends here, as a fault of the policy.
template <class Body>
auto Guarded([[maybe_unused]] const char* hook, Body&& body) noexcept -> decltype(body()) {
#if defined(__cpp_exceptions)
  char text[256];
  try {
    return body();
  } catch (const std::exception& exception) {
    std::snprintf(text, sizeof text, "%s threw an exception: %s", hook, exception.what());
  } catch (...) {
    std::snprintf(text, sizeof text, "%s threw what is no std::exception", hook);
  }
  return static_cast<decltype(body())>(Failed{engine->fault(steer_text(text))});
#else
  return body();
#endif
}

}  // namespace detail

// --- Configs ------------------------------------------------------------------------------------

// A value of a config, which knows its path. What is wrong with it (another kind, out of range) is
// reported under that path, and the whole config is then rejected with all that is wrong; the
// functions give the fallback in the meantime. Valid while the config is read.
class Json {
 public:
  // A field; one that is absent is null. What is no object has no fields, which is a fault.
  Json operator[](std::string_view key) const {
    const bool object = Is(STEER_JSON_OBJECT);
    if (!object && !IsNull()) Fault("must be an object");
    const steer_json* value = object ? detail::engine->json_get(json_, ToC(key)) : nullptr;
    return Json(value, faults_, PathOf(key), faulted_);
  }

  // Absent, or null.
  bool IsNull() const { return json_ == nullptr || Is(STEER_JSON_NULL); }

  // This value, which must be there.
  const Json& Required() const& { return Require(), *this; }
  Json Required() && { return Require(), std::move(*this); }

  std::string String(std::string_view fallback = {}) const {
    steer_str value = {};
    if (Read(detail::engine->json_string, &value, "must be a string")) return FromC(value);
    return std::string(fallback);
  }

  bool Bool(bool fallback = false) const {
    int32_t value = 0;
    return Read(detail::engine->json_bool, &value, "must be true or false") ? value != 0 : fallback;
  }

  // A whole number of this range.
  int64_t Integer(int64_t fallback = 0, int64_t least = (std::numeric_limits<int64_t>::min)(),
                  int64_t most = (std::numeric_limits<int64_t>::max)()) const {
    int64_t value = 0;
    if (!Read(detail::engine->json_integer, &value, "must be a whole number")) return fallback;
    if (least <= value && value <= most) return value;
    Fault("must be from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }

  // A number of this range.
  double Number(double fallback = 0, double least = std::numeric_limits<double>::lowest(),
                double most = (std::numeric_limits<double>::max)()) const {
    double value = 0;
    if (!Read(detail::engine->json_number, &value, "must be a number")) return fallback;
    if (least <= value && value <= most) return value;
    char text[96];
    std::snprintf(text, sizeof text, "must be from %g to %g", least, most);
    Fault(text);
    return fallback;
  }

  // The values of an array; null has none.
  std::vector<Json> Items() const {
    std::vector<Json> items;
    if (IsNull()) return items;
    if (!Is(STEER_JSON_ARRAY)) return Fault("must be an array"), items;
    const size_t size = detail::engine->json_size(json_);
    for (size_t i = 0; i < size; ++i) {
      items.push_back(Json(detail::engine->json_at(json_, i), faults_,
                           path_ + "[" + std::to_string(i) + "]", faulted_));
    }
    return items;
  }

  // The fields of an object, for those whose keys are data; null has none.
  std::vector<std::pair<std::string, Json>> Fields() const {
    std::vector<std::pair<std::string, Json>> fields;
    if (IsNull()) return fields;
    if (!Is(STEER_JSON_OBJECT)) return Fault("must be an object"), fields;
    const size_t size = detail::engine->json_size(json_);
    for (size_t i = 0; i < size; ++i) {
      std::string key = FromC(detail::engine->json_key(json_, i));
      const Json value(detail::engine->json_at(json_, i), faults_, PathOf(key), faulted_);
      fields.emplace_back(std::move(key), value);
    }
    return fields;
  }

  // The value as JSON text, for those who have a parser of their own.
  std::string Text() const { return FromC(detail::engine->json_text(json_)); }

  // Says what is wrong with this value.
  void Fault(std::string_view error) const {
    detail::engine->config_fault(faults_, ToC(path_), ToC(error));
    *faulted_ = true;
  }

  // Made by this header.
  Json(const steer_json* json, steer_faults* faults, std::string path, bool* faulted)
      : json_(json), faults_(faults), path_(std::move(path)), faulted_(faulted) {}

 private:
  bool Is(steer_json_kind kind) const { return detail::engine->json_kind(json_) == kind; }

  std::string PathOf(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  void Require() const {
    if (IsNull()) Fault("is missing");
  }

  template <class Value>
  bool Read(int32_t (*read)(const steer_json*, Value*), Value* value, const char* error) const {
    if (IsNull()) return false;
    if (read(json_, value) != 0) return true;
    Fault(error);
    return false;
  }

  const steer_json* json_;
  steer_faults* faults_;
  std::string path_;
  bool* faulted_;
};

// --- Backends -----------------------------------------------------------------------------------

// A backend as the resolver describes it. Valid as long as the Backends that it is from.
class Backend {
 public:
  explicit Backend(const steer_backend* backend) : backend_(backend) {}

  // The first of its addresses, as gRPC writes them: "ipv4:10.0.0.1:80".
  std::string_view address() const { return address(0); }
  std::string_view address(size_t index) const { return View(backend_->addresses[index]); }
  size_t address_count() const { return backend_->address_count; }
  // 0: none.
  uint32_t weight() const { return backend_->weight; }
  // Empty: not known.
  std::string_view region() const { return View(backend_->region); }
  std::string_view zone() const { return View(backend_->zone); }
  std::string_view sub_zone() const { return View(backend_->sub_zone); }
  std::string_view hash_key() const { return View(backend_->hash_key); }

  // What the resolver attached by this key, if it is a text.
  std::optional<std::string_view> Text(std::string_view key) const {
    steer_str value;
    if (!steer_backend_text(backend_, ToC(key), &value)) return std::nullopt;
    return View(value);
  }

  // The same for integers.
  std::optional<int64_t> Integer(std::string_view key) const {
    int64_t value;
    if (!steer_backend_integer(backend_, ToC(key), &value)) return std::nullopt;
    return value;
  }

  // What the function given to PickerType::BackendData made of it: `Data` is what that returns.
  // Many threads have it at once.
  template <class Data>
  Data& data() const {
    return *static_cast<Data*>(backend_->data);
  }

  const steer_backend* get() const { return backend_; }

 private:
  const steer_backend* backend_;
};

// READY backends, in the resolver's order. A copy costs a reference count.
class Backends {
 public:
  // Holds them; for those who get them from the C ABI.
  explicit Backends(const steer_backends* backends) : backends_(backends) { Hold(); }
  Backends(const Backends& other) : Backends(other.backends_) {}
  Backends(Backends&& other) noexcept : backends_(std::exchange(other.backends_, nullptr)) {}
  Backends& operator=(Backends other) noexcept {
    std::swap(backends_, other.backends_);
    return *this;
  }
  ~Backends() {
    if (backends_ != nullptr) detail::engine->backends_release(backends_);
  }

  size_t size() const { return backends_->count; }
  bool empty() const { return size() == 0; }
  // Not checked, as a vector's.
  Backend operator[](size_t index) const { return Backend(backends_->items[index]); }

 private:
  void Hold() const {
    if (backends_ != nullptr) detail::engine->backends_hold(backends_);
  }

  const steer_backends* backends_;
};

// --- The channel --------------------------------------------------------------------------------

// What Steer does for one channel. A plain pointer, valid as long as that channel's state and its
// pickers, and in the hooks of their calls. Any thread, unless it says otherwise.
class Channel {
 public:
  explicit Channel(const steer_channel* channel) : channel_(channel) {}

  // A line in gRPC's log.
  void Log(steer_severity severity, std::string_view message) const {
    detail::engine->log(channel_, severity, ToC(message));
  }
  // Since an arbitrary moment; never goes back.
  std::chrono::nanoseconds Now() const {
    return std::chrono::nanoseconds(detail::engine->now(channel_));
  }
  // 64 random bits.
  uint64_t Random() const { return detail::engine->random(channel_); }
  // Random and below `end`, which is not 0.
  size_t RandomIndex(size_t end) const { return static_cast<size_t>(Random() % end); }

  // For the functions that PickerType calls for one channel, but not for its pickers: starts a
  // timer, whose number comes to PickerType::Timer. 0: too late.
  uint64_t StartTimer(std::chrono::nanoseconds after) const {
    const auto count = after.count();
    return detail::engine->timer_start(channel_, count < 0 ? 0 : static_cast<uint64_t>(count));
  }
  void CancelTimer(uint64_t timer) const { detail::engine->timer_cancel(channel_, timer); }
  // For the same: asks for a new picker, when something other than the backends has changed.
  void Rebuild() const { detail::engine->rebuild(channel_); }

  const steer_channel* get() const { return channel_; }

 private:
  const steer_channel* channel_;
};

// --- Calls --------------------------------------------------------------------------------------

// The call that is being picked for. Valid during the pick, with the texts that come of it.
class Call {
 public:
  explicit Call(const steer_call* call) : call_(call) {}

  // "/service/method", if the picker wants it: see Build::WantPath.
  std::string_view path() const { return View(steer_call_path(call_)); }
  // A header, if the picker wants it: see Build::WantHeader.
  std::optional<std::string_view> Header(std::string_view name) const {
    steer_str value;
    if (!steer_call_header(call_, ToC(name), &value)) return std::nullopt;
    return View(value);
  }
  // The hash that an xDS route gives the call, if the picker wants it: see Build::WantRequestHash.
  std::optional<uint64_t> RequestHash() const {
    uint64_t hash = 0;
    if (!steer_call_request_hash(call_, &hash)) return std::nullopt;
    return hash;
  }
  // Adds a header, if this pick completes. Whether it was taken.
  bool AddHeader(std::string_view name, std::string_view value) const {
    return steer_call_add_header(call_, ToC(name), ToC(value)) != 0;
  }

 private:
  const steer_call* call_;
};

// How a call ended. Valid during the hook.
class CallEnd {
 public:
  explicit CallEnd(const steer_call_end* end) : end_(end) {}

  // It ran. If not, it never started or was given up, and there is no code.
  bool finished() const { return end_->outcome == STEER_CALL_FINISHED; }
  Code code() const { return static_cast<Code>(end_->code); }
  bool ok() const { return finished() && code() == Code::kOk; }
  std::string_view message() const { return View(end_->message); }
  std::chrono::nanoseconds latency() const { return std::chrono::nanoseconds(end_->latency_ns); }
  // What the backend reported; NULL when nothing, or when the picker does not want it: see
  // Build::WantMetrics.
  const steer_metrics* metrics() const { return end_->metrics; }

 private:
  const steer_call_end* end_;
};

// What a picker remembers of one call, by inheriting from this. It is deleted when the call has
// ended, whatever became of it. Its functions are called from any thread, one after the other.
class TrackedCall {
 public:
  virtual ~TrackedCall() = default;
  virtual void Started() {}
  virtual void Finished(const CallEnd& end) = 0;
};

namespace detail {

template <class Hook>
class CallHook final : public TrackedCall {
 public:
  explicit CallHook(Hook hook) : hook_(std::move(hook)) {}
  void Finished(const CallEnd& end) override { hook_(end); }

 private:
  Hook hook_;
};

}  // namespace detail

// What a pick leads to.
class [[nodiscard]] Choice {
 public:
  // Send the call to this backend: an index into the picker's.
  static Choice Complete(size_t backend) { return Choice(steer_complete(backend), nullptr); }
  // The same, and tell `call` how it goes. This allocates.
  static Choice Complete(size_t backend, std::unique_ptr<TrackedCall> call) {
    return Choice(steer_complete(backend), std::move(call));
  }
  // The same, for those who only want to know how it ended: `hook` is called with a
  // `const CallEnd&`, once.
  template <class Hook, std::enable_if_t<std::is_invocable_v<Hook&, const CallEnd&>, int> = 0>
  static Choice Complete(size_t backend, Hook hook) {
    return Complete(backend, std::make_unique<detail::CallHook<Hook>>(std::move(hook)));
  }
  // Let the call wait for the next picker.
  static Choice Queue() { return Choice(steer_queue(), nullptr); }
  // Fail the call, unless it waits for ready.
  static Choice Fail(Code code, std::string_view message) {
    return Choice(detail::engine->fail(static_cast<int32_t>(code), ToC(message)), nullptr);
  }
  // Fail the call in any case, and do not retry it.
  static Choice Drop(Code code, std::string_view message) {
    return Choice(detail::engine->drop(static_cast<int32_t>(code), ToC(message)), nullptr);
  }
  // This picker is broken.
  static Choice Fault(std::string_view message) {
    return Choice(detail::engine->fault(ToC(message)), nullptr);
  }

  // For the C ABI. Gives up the tracked call: the engine has it from now on.
  steer_choice Release() && {
    if (call_ == nullptr) return choice_;
    return detail::engine->complete_tracked(choice_.value, call_.release());
  }

 private:
  Choice(steer_choice choice, std::unique_ptr<TrackedCall> call)
      : choice_(choice), call_(std::move(call)) {}

  steer_choice choice_;
  std::unique_ptr<TrackedCall> call_;
};

// --- Pickers ------------------------------------------------------------------------------------

// What a picker wants to know of each call; what it does not ask for costs nothing.
class Wants {
 public:
  void WantPath() { bits_ |= STEER_WANTS_PATH; }
  // The hash that an xDS route gives the call.
  void WantRequestHash() { bits_ |= STEER_WANTS_REQUEST_HASH; }
  // Backend metrics, in CallEnd.
  void WantMetrics() { bits_ |= STEER_WANTS_METRICS; }
  // A header that it reads, in lower case.
  void WantHeader(std::string name) {
    WantAddedHeaders();
    headers_.push_back(std::move(name));
  }
  // It adds headers, whether or not it reads any.
  void WantAddedHeaders() { bits_ |= STEER_WANTS_HEADERS; }

  // For the C ABI. `texts` must live as long as this is read, and this, too.
  void Write(steer_wants* wants, std::vector<steer_str>* texts) const {
    for (const std::string& name : headers_) texts->push_back(ToC(name));
    wants->bits = bits_;
    wants->headers = texts->data();
    wants->header_count = texts->size();
  }

 private:
  uint32_t bits_ = 0;
  std::vector<std::string> headers_;
};

// What a picker is made of. `config` and `state` are what the functions given to PickerType made,
// and live as long as the picker; what the picker keeps of `backends` and `channel` is copied.
template <class Config = NotGiven, class State = NotGiven>
struct Build : Wants {
  const Config& config;
  State& state;
  Backends backends;
  Channel channel;

  // Made by this header.
  Build(const Config& c, State& s, Backends b, Channel of)
      : config(c), state(s), backends(std::move(b)), channel(of) {}
};

namespace detail {

inline void CallStarted(const void*, uint64_t, void* state) {
  Guarded("TrackedCall::Started", [&]() -> int32_t {
    static_cast<TrackedCall*>(state)->Started();
    return 0;
  });
}

inline void CallFinished(const void*, uint64_t, void* state, const steer_call_end* end) {
  const std::unique_ptr<TrackedCall> call(static_cast<TrackedCall*>(state));
  Guarded("TrackedCall::Finished", [&]() -> int32_t {
    call->Finished(CallEnd(end));
    return 0;
  });
}

// For the hooks of both levels.
template <class Hooks>
int32_t ConfigNew(void* ctx, const steer_json* json, steer_faults* faults, void** config) {
  return Guarded("the config's function", [&]() -> int32_t {
    bool faulted = false;
    using Config = typename Hooks::Config;
    std::unique_ptr<Config> made(
        new Config(Hooks::Of(ctx).config_fn(Json(json, faults, "", &faulted))));
    if (!faulted) *config = made.release();
    return 0;
  });
}

// The hooks of one type of pickers, and its functions: the `ctx` of the C table.
template <class ConfigFn, class StateFn, class DataFn, class TimerFn, class MakeFn>
struct PickerHooks {
  // `if constexpr` on these: what the user left out has no hook.
  template <class Fn>
  static constexpr bool kGiven = !std::is_same_v<Fn, NotGiven>;

  template <class Fn, class... Args>
  static auto ResultOf() {
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
  using Pick = std::decay_t<std::invoke_result_t<const MakeFn&, BuildOf&>>;

  static_assert(
      std::is_invocable_r_v<Choice, const Pick&, const Call&>,
      "a picker is called as `Choice pick(const Call&) const`, from many threads at once");

  struct Instance {
    Instance(const PickerHooks& hooks, steer_channel* c)
        : functions(hooks), channel(c), state(hooks.NewState(Channel(c))) {}
    const PickerHooks& functions;
    Channel channel;
    State state;
    NotGiven none;
  };

  // The picker behind the C table, with what the engine reads of it later.
  struct Made {
    Made(const MakeFn& make, BuildOf& build) : pick(make(build)) {}
    Pick pick;
    Wants wants;
    std::vector<steer_str> header_texts;
  };

  ConfigFn config_fn;
  StateFn state_fn;
  DataFn data_fn;
  TimerFn timer_fn;
  MakeFn make_fn;

  State NewState(Channel channel) const {
    if constexpr (kGiven<StateFn>) {
      return state_fn(channel);
    } else {
      return State();
    }
  }

  static const PickerHooks& Of(void* ctx) { return *static_cast<const PickerHooks*>(ctx); }

  static void CtxFree(void* ctx) { delete static_cast<PickerHooks*>(ctx); }

  static void ConfigFree(void* config) { delete static_cast<Config*>(config); }

  static int32_t InstanceNew(void* ctx, steer_channel* channel, void** instance) {
    return Guarded("the channel state's function", [&]() -> int32_t {
      *instance = new Instance(Of(ctx), channel);
      return 0;
    });
  }

  static void InstanceFree(void* instance) { delete static_cast<Instance*>(instance); }

  static int32_t BackendNew(void* instance, const steer_backend* backend, void** data) {
    return Guarded("the backend data's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      *data = new Data(mine.functions.data_fn(mine.state, Backend(backend)));
      return 0;
    });
  }

  static void BackendFree(void* data) { delete static_cast<Data*>(data); }

  static int32_t PickerNew(void* instance, const void* config, const steer_backends* backends,
                           steer_wants* wants, void** picker) {
    return Guarded("the picker's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      const void* const given = kGiven<ConfigFn> ? config : &mine.none;
      BuildOf build(*static_cast<const Config*>(given), mine.state, Backends(backends),
                    mine.channel);
      auto made = std::make_unique<Made>(mine.functions.make_fn, build);
      made->wants = static_cast<Wants&>(build);
      made->wants.Write(wants, &made->header_texts);
      *picker = made.release();
      return 0;
    });
  }

  static void PickerFree(void* picker) { delete static_cast<Made*>(picker); }

  static steer_choice PickOne(const void* picker, const steer_call* call) {
    const Made& made = *static_cast<const Made*>(picker);
    return Guarded("the picker", [&] { return Choice(made.pick(Call(call))).Release(); });
  }

  static void TimerOut(void* instance, uint64_t timer) {
    Guarded("the timer's function", [&]() -> int32_t {
      Instance& mine = *static_cast<Instance*>(instance);
      mine.functions.timer_fn(mine.state, timer);
      return 0;
    });
  }

  steer_picker_type Table(std::string_view name) {
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
    return table;
  }
};

}  // namespace detail

// A type of pickers, given function by function (lambdas, or objects that can be called), and then
// registered. All but the last one can be left out. They are called for many channels, some at
// once; those of one channel one after the other.
template <class ConfigFn, class StateFn, class DataFn, class TimerFn>
class PickerType {
 public:
  PickerType(std::string name, ConfigFn config, StateFn state, DataFn data, TimerFn timer)
      : name_(std::move(name)),
        config_(std::move(config)),
        state_(std::move(state)),
        data_(std::move(data)),
        timer_(std::move(timer)) {}

  // Reads a config: `Config config(const Json&)`. What it returns is Build::config.
  template <class Fn>
  auto Config(Fn fn) && {
    return PickerType<Fn, StateFn, DataFn, TimerFn>(
        std::move(name_), std::move(fn), std::move(state_), std::move(data_), std::move(timer_));
  }

  // Makes what the pickers of one channel share, one after another: `State state(Channel)`. What it
  // returns is Build::state.
  template <class Fn>
  auto ChannelState(Fn fn) && {
    return PickerType<ConfigFn, Fn, DataFn, TimerFn>(
        std::move(name_), std::move(config_), std::move(fn), std::move(data_), std::move(timer_));
  }

  // Makes what is remembered of a backend as long as the resolver lists its addresses, over new
  // pickers and lost connections: `Data data(State&, const Backend&)`. What it returns is
  // Backend::data<Data>().
  template <class Fn>
  auto BackendData(Fn fn) && {
    return PickerType<ConfigFn, StateFn, Fn, TimerFn>(
        std::move(name_), std::move(config_), std::move(state_), std::move(fn), std::move(timer_));
  }

  // Is told that a timer has run out: `void timer(State&, uint64_t timer)`.
  template <class Fn>
  auto Timer(Fn fn) && {
    return PickerType<ConfigFn, StateFn, DataFn, Fn>(
        std::move(name_), std::move(config_), std::move(state_), std::move(data_), std::move(fn));
  }

  // Registers it. `make` makes a picker, whenever the READY backends or the config have changed:
  // `Pick make(Build<Config, State>&)`, or `auto make(auto& build)`. `Pick` is a lambda or an
  // object, called as `Choice pick(const Call&) const` from many threads at once. 0, or other than
  // 0 when that fails: `api->last_error()` says why. It is what an entry returns.
  template <class Make>
  int32_t Register(const steer_api* api, Make make) && {
    using Hooks = detail::PickerHooks<ConfigFn, StateFn, DataFn, TimerFn, Make>;
    detail::engine = api;
    return detail::Guarded("Picker::Register", [&]() -> int32_t {
      auto* const hooks = new Hooks{std::move(config_), std::move(state_), std::move(data_),
                                    std::move(timer_), std::move(make)};
      const steer_picker_type table = hooks->Table(name_);
      return api->register_picker(&table);  // frees the hooks, in the end or when it fails
    });
  }

 private:
  std::string name_;
  ConfigFn config_;
  StateFn state_;
  DataFn data_;
  TimerFn timer_;
};

// A type of pickers of this name: that in `loadBalancingConfig`.
inline auto Picker(std::string name) {
  return PickerType<NotGiven, NotGiven, NotGiven, NotGiven>(std::move(name), {}, {}, {}, {});
}

// --- Policies -----------------------------------------------------------------------------------
//
// The full level: a policy decides itself which connections there are, and what state they amount
// to.

// A resolver's answer. Valid during Policy::Update; copies of `endpoints` can be kept.
class Resolved {
 public:
  explicit Resolved(const steer_resolved* resolved)
      : endpoints(resolved->endpoints), resolved_(resolved) {}

  // In the resolver's order; none when there are none.
  const Backends endpoints;

  // What the config's function made: `Config` is what it returned.
  template <class Config>
  const Config& config() const {
    return *static_cast<const Config*>(resolved_->config);
  }
  // Not kOk: the resolver failed, and there are no endpoints to look at.
  Code code() const { return static_cast<Code>(resolved_->code); }
  std::string_view message() const { return View(resolved_->message); }
  // For people, to be part of the status when there are no endpoints.
  std::string_view resolution_note() const { return View(resolved_->resolution_note); }

 private:
  const steer_resolved* resolved_;
};

// What one channel's policy does. All of it is called for one thing after the other.
class Policy {
 public:
  virtual ~Policy() = default;
  // Returns what the resolver is to be told: kOk when the update was accepted.
  virtual Code Update(const Resolved& resolved) = 0;
  // An endpoint's state has changed; `code` and `message` say why it failed.
  virtual void EndpointReport(uint64_t endpoint, steer_state state, Code code,
                              std::string_view message) = 0;
  // A call came while the policy was IDLE.
  virtual void ExitIdle() {}
  virtual void Timer(uint64_t /*timer*/) {}
};

namespace detail {

struct AnyPicker {
  virtual ~AnyPicker() = default;
  virtual Choice Pick(const Call& call) const = 0;
};

template <class Function>
struct FunctionPicker final : AnyPicker {
  explicit FunctionPicker(Function f) : function(std::move(f)) {}
  Choice Pick(const Call& call) const override { return function(call); }
  Function function;
};

}  // namespace detail

// A channel, as its policy has it, and in its functions only.
class PolicyChannel : public Channel {
 public:
  using Channel::Channel;

  // Makes an endpoint for the one at this index of the latest update: its number. It reports its
  // state soon after, and does not connect before it is asked to. 0: it cannot be made.
  uint64_t NewEndpoint(size_t index) const { return detail::engine->endpoint_new(get(), index); }
  // Whether the endpoint is what NewEndpoint would make for this index of the latest update.
  bool Matches(uint64_t endpoint, size_t index) const {
    return detail::engine->endpoint_matches(get(), endpoint, index) != 0;
  }
  void Connect(uint64_t endpoint) const { detail::engine->endpoint_connect(get(), endpoint); }
  void ResetBackoff(uint64_t endpoint) const {
    detail::engine->endpoint_reset_backoff(get(), endpoint);
  }
  void Drop(uint64_t endpoint) const { detail::engine->endpoint_free(get(), endpoint); }
  void RequestReresolution() const { detail::engine->request_reresolution(get()); }

  // Publishes a state in which calls wait.
  bool Publish(steer_state state) const { return Publish(state, Code::kOk, {}); }
  // TRANSIENT_FAILURE: calls fail with this.
  bool PublishFailure(Code code, std::string_view message) const {
    return Publish(STEER_TRANSIENT_FAILURE, code, message);
  }
  // Publishes a picker, `Choice pick(const Call&) const`, whose choices are indices into
  // `endpoints`. False when one of these is not READY.
  template <class Pick>
  bool Publish(steer_state state, const std::vector<uint64_t>& endpoints, Pick pick,
               const Wants& wants = {}) const {
    std::vector<steer_str> texts;
    steer_wants raw_wants = {};
    raw_wants.struct_size = sizeof raw_wants;
    wants.Write(&raw_wants, &texts);
    steer_publication publication = {};
    publication.struct_size = sizeof publication;
    publication.state = state;
    publication.endpoints = endpoints.data();
    publication.endpoint_count = endpoints.size();
    publication.wants = &raw_wants;
    detail::AnyPicker* const picker = new detail::FunctionPicker<Pick>(std::move(pick));
    publication.picker = picker;
    return detail::engine->publish(get(), &publication) == STEER_OK;
  }

 private:
  bool Publish(steer_state state, Code code, std::string_view message) const {
    steer_publication publication = {};
    publication.struct_size = sizeof publication;
    publication.state = state;
    publication.code = static_cast<int32_t>(code);
    publication.message = ToC(message);
    return detail::engine->publish(get(), &publication) == STEER_OK;
  }
};

namespace detail {

// The hooks of one type of policies, and its functions: the `ctx` of the C table.
template <class ConfigFn, class MakeFn>
struct PolicyHooks {
  using Config = std::decay_t<std::invoke_result_t<const ConfigFn&, const Json&>>;

  ConfigFn config_fn;
  MakeFn make_fn;

  static const PolicyHooks& Of(void* ctx) { return *static_cast<const PolicyHooks*>(ctx); }
  static Policy& Get(void* policy) { return *static_cast<Policy*>(policy); }

  static int32_t PolicyNew(void* ctx, steer_channel* channel, void** policy) {
    return Guarded("the policy's function", [&]() -> int32_t {
      std::unique_ptr<Policy> made = Of(ctx).make_fn(PolicyChannel(channel));
      *policy = made.release();
      return 0;
    });
  }

  static int32_t Update(void* policy, const steer_resolved* resolved) {
    return Guarded("Policy::Update", [&]() -> int32_t {
      return static_cast<int32_t>(Get(policy).Update(Resolved(resolved)));
    });
  }

  static void EndpointReport(void* policy, uint64_t endpoint, int32_t state, int32_t code,
                             steer_str message) {
    Guarded("Policy::EndpointReport", [&]() -> int32_t {
      Get(policy).EndpointReport(endpoint, static_cast<steer_state>(state), static_cast<Code>(code),
                                 View(message));
      return 0;
    });
  }

  static steer_choice PickOne(const void* picker, const steer_call* call) {
    return Guarded("the picker", [&] {
      return static_cast<const AnyPicker*>(picker)->Pick(Call(call)).Release();
    });
  }

  steer_policy_type Table(std::string_view name) {
    steer_policy_type table = {};
    table.struct_size = sizeof table;
    table.name = ToC(name);
    table.ctx = this;
    table.ctx_free = [](void* ctx) { delete static_cast<PolicyHooks*>(ctx); };
    table.config_new = ConfigNew<PolicyHooks>;
    table.config_free = [](void* config) { delete static_cast<Config*>(config); };
    table.policy_new = PolicyNew;
    table.policy_free = [](void* policy) { delete static_cast<Policy*>(policy); };
    table.update = Update;
    table.endpoint_report = EndpointReport;
    table.exit_idle = [](void* policy) {
      Guarded("Policy::ExitIdle", [&]() -> int32_t { return Get(policy).ExitIdle(), 0; });
    };
    table.timer = [](void* policy, uint64_t timer) {
      Guarded("Policy::Timer", [&]() -> int32_t { return Get(policy).Timer(timer), 0; });
    };
    table.picker_free = [](void* picker) { delete static_cast<AnyPicker*>(picker); };
    table.pick = PickOne;
    table.call_started = CallStarted;
    table.call_finished = CallFinished;
    return table;
  }
};

}  // namespace detail

// Registers a type of policies. `config` reads a config: `Config config(const Json&)`; `make` makes
// one channel's policy: `std::unique_ptr<Policy> make(PolicyChannel)`. Returns as
// PickerType::Register.
template <class ConfigFn, class MakeFn>
int32_t RegisterPolicy(const steer_api* api, std::string_view name, ConfigFn config, MakeFn make) {
  detail::engine = api;
  return detail::Guarded("RegisterPolicy", [&]() -> int32_t {
    auto* const hooks =
        new detail::PolicyHooks<ConfigFn, MakeFn>{std::move(config), std::move(make)};
    const steer_policy_type table = hooks->Table(name);
    return api->register_policy(&table);  // frees the hooks, in the end or when it fails
  });
}

}  // namespace steer

#endif  // STEER_STEER_HPP
