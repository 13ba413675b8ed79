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
// text, and round robin takes its place, unless PickerType::OnFault says otherwise. So are those
// of the entry: the plugin is then refused. (Destructors must not throw, as ever.)
//
// A library that is compiled with this has its functions to itself: they are hidden. The inline
// namespace is the release's, so that no other release's types are taken for this one's.
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
#include <stdexcept>
#else
#include <cstdlib>
#endif

#include "steer/picker.h"
#include "steer/steer.h"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

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
STEER_LOCAL inline std::string_view View(steer_str text) { return {text.data, text.length}; }

// In place of what users leave out. (Not `None`: Xlib.h has a macro of that name.)
struct NotGiven {};

namespace detail {

// The engine, for what is made without a channel at hand, set when a library's first type is
// registered. Each library has one of these. Only where one library's functions are taken for
// another's of this release (a program that exports its symbols, and a plugin of the same classes),
// both have the same one: so it is not hidden. Not `inline`, which GCC makes one for all libraries.
#if defined(__GNUC__)
extern const steer_api* engine;
__attribute__((weak)) const steer_api* engine = nullptr;
#else
inline const steer_api* engine = nullptr;
#endif

// What a hook returns after a fault.
struct Failed {
  STEER_LOCAL operator int32_t() const { return 1; }
  STEER_LOCAL operator steer_choice() const { return choice; }
  steer_choice choice;
};

// Runs a hook's body. An exception ends here, as a fault of the policy.
template <class Body>
STEER_LOCAL auto Guarded([[maybe_unused]] const char* hook, Body&& body) noexcept
    -> decltype(body()) {
#if defined(__cpp_exceptions)
  char text[1024];
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

// Its address is a type's number, also without RTTI. Not const: linkers may fold constants.
template <class T>
struct TypeOf {
  STEER_LOCAL static inline char number = 0;
};

struct Tag {
  const void* type;
};

// A user's value behind the C ABI's void*, which knows its type.
template <class T>
struct Tagged : Tag {
  T value;
};

// What the user's function makes, for the C ABI.
template <class T, class Make>
STEER_LOCAL void* NewTagged(Make&& make) {
  return static_cast<Tag*>(new Tagged<T>{{&TypeOf<T>::number}, make()});
}

template <class T>
STEER_LOCAL void FreeTagged(void* value) {
  delete static_cast<Tagged<T>*>(static_cast<Tag*>(value));
}

// The user has made a mistake that leaves nothing to go on with: a fault.
[[noreturn]] STEER_LOCAL inline void Mistake(const char* text) {
#if defined(__cpp_exceptions)
  throw std::logic_error(text);
#else
  std::fprintf(stderr, "%s\n", text);
  std::abort();
#endif
}

// The value behind the void*, if it is a T.
template <class T>
STEER_LOCAL T* FindTagged(void* value) {
  using Plain = std::remove_cv_t<T>;
  Tag* const tag = static_cast<Tag*>(value);
  if (tag == nullptr || tag->type != &TypeOf<Plain>::number) return nullptr;
  return &static_cast<Tagged<Plain>*>(tag)->value;
}

}  // namespace detail

// --- Configs ------------------------------------------------------------------------------------

// A value of a config, which knows its path. What is wrong with it (another kind, out of range) is
// reported under that path, and the whole config is then rejected with all that is wrong; the
// functions give the fallback in the meantime. Valid while the config is read.
class Json {
 public:
  // A field; one that is absent is null. What is no object has no fields, which is a fault.
  STEER_LOCAL Json operator[](std::string_view key) const {
    const bool object = Is(STEER_JSON_OBJECT);
    if (!object && !IsNull()) Fault("must be an object");
    const steer_json* value = object ? detail::engine->json_get(json_, ToC(key)) : nullptr;
    return Json(value, faults_, PathOf(key), faulted_);
  }

  // Absent, or null.
  STEER_LOCAL bool IsNull() const { return json_ == nullptr || Is(STEER_JSON_NULL); }

  // This value, which must be there.
  STEER_LOCAL const Json& Required() const& { return Require(), *this; }
  STEER_LOCAL Json Required() && { return Require(), std::move(*this); }

  STEER_LOCAL std::string String(std::string_view fallback = {}) const {
    steer_str value = {};
    if (Read(detail::engine->json_string, &value, "must be a string")) return FromC(value);
    return std::string(fallback);
  }

  STEER_LOCAL bool Bool(bool fallback = false) const {
    int32_t value = 0;
    return Read(detail::engine->json_bool, &value, "must be true or false") ? value != 0 : fallback;
  }

  // A whole number of this range.
  STEER_LOCAL int64_t Integer(int64_t fallback = 0,
                              int64_t least = (std::numeric_limits<int64_t>::min)(),
                              int64_t most = (std::numeric_limits<int64_t>::max)()) const {
    int64_t value = 0;
    if (!Read(detail::engine->json_integer, &value, "must be a whole number")) return fallback;
    if (least <= value && value <= most) return value;
    Fault("must be from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }

  // A number of this range.
  STEER_LOCAL double Number(double fallback = 0,
                            double least = std::numeric_limits<double>::lowest(),
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
  STEER_LOCAL std::vector<Json> Items() const {
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
  STEER_LOCAL std::vector<std::pair<std::string, Json>> Fields() const {
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
  STEER_LOCAL std::string Text() const { return FromC(detail::engine->json_text(json_)); }

  // Says what is wrong with this value.
  STEER_LOCAL void Fault(std::string_view error) const {
    detail::engine->config_fault(faults_, ToC(path_), ToC(error));
    *faulted_ = true;
  }

  // Made by this header.
  STEER_LOCAL Json(const steer_json* json, steer_faults* faults, std::string path, bool* faulted)
      : json_(json), faults_(faults), path_(std::move(path)), faulted_(faulted) {}

 private:
  STEER_LOCAL bool Is(steer_json_kind kind) const {
    return detail::engine->json_kind(json_) == kind;
  }

  STEER_LOCAL std::string PathOf(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  STEER_LOCAL void Require() const {
    if (IsNull()) Fault("is missing");
  }

  template <class Value>
  STEER_LOCAL bool Read(int32_t (*read)(const steer_json*, Value*), Value* value,
                        const char* error) const {
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
  STEER_LOCAL explicit Backend(const steer_backend* backend) : backend_(backend) {}

  // The first of its addresses, as gRPC writes them: "ipv4:10.0.0.1:80".
  STEER_LOCAL std::string_view address() const { return address(0); }
  STEER_LOCAL std::string_view address(size_t index) const {
    return View(backend_->addresses[index]);
  }
  STEER_LOCAL size_t address_count() const { return backend_->address_count; }
  // 0: none.
  STEER_LOCAL uint32_t weight() const { return backend_->weight; }
  // Empty: not known.
  STEER_LOCAL std::string_view region() const { return View(backend_->region); }
  STEER_LOCAL std::string_view zone() const { return View(backend_->zone); }
  STEER_LOCAL std::string_view sub_zone() const { return View(backend_->sub_zone); }
  STEER_LOCAL std::string_view hash_key() const { return View(backend_->hash_key); }

  // What the resolver attached by this key, if it is a text.
  STEER_LOCAL std::optional<std::string_view> Text(std::string_view key) const {
    steer_str value;
    if (!steer_backend_text(backend_, ToC(key), &value)) return std::nullopt;
    return View(value);
  }

  // The same for integers.
  STEER_LOCAL std::optional<int64_t> Integer(std::string_view key) const {
    int64_t value;
    if (!steer_backend_integer(backend_, ToC(key), &value)) return std::nullopt;
    return value;
  }

  // What the function given to PickerType::BackendData made of it: `Data` is what that returns.
  // Many threads have it at once. Another type is a fault; without exceptions it ends the process.
  template <class Data>
  STEER_LOCAL Data& data() const {
    if (Data* const found = FindData<Data>()) return *found;
    detail::Mistake("Backend::data<T>: T is not what the function given to BackendData returns");
  }
  // The same; NULL when it is of another type, or there is none.
  template <class Data>
  STEER_LOCAL Data* FindData() const {
    return detail::FindTagged<Data>(backend_->data);
  }

  const steer_backend* get() const { return backend_; }

 private:
  const steer_backend* backend_;
};

// READY backends, in the resolver's order. A copy costs a reference count. What was moved from is
// empty.
class Backends {
 public:
  // Holds them; for those who get them from the C ABI.
  STEER_LOCAL explicit Backends(const steer_backends* backends)
      : Backends(detail::engine, backends) {}
  STEER_LOCAL Backends(const Backends& other) : Backends(other.api_, other.backends_) {}
  STEER_LOCAL Backends(Backends&& other) noexcept
      : api_(other.api_), backends_(std::exchange(other.backends_, nullptr)) {}
  STEER_LOCAL Backends& operator=(Backends other) noexcept {
    std::swap(api_, other.api_);
    std::swap(backends_, other.backends_);
    return *this;
  }
  STEER_LOCAL ~Backends() {
    if (backends_ != nullptr) api_->backends_release(backends_);
  }

  STEER_LOCAL size_t size() const { return backends_ == nullptr ? 0 : backends_->count; }
  STEER_LOCAL bool empty() const { return size() == 0; }
  // Not checked, as a vector's.
  STEER_LOCAL Backend operator[](size_t index) const { return Backend(backends_->items[index]); }

 private:
  STEER_LOCAL Backends(const steer_api* api, const steer_backends* backends)
      : api_(api), backends_(backends) {
    if (backends_ != nullptr) api_->backends_hold(backends_);
  }

  const steer_api* api_;
  const steer_backends* backends_;
};

// --- The channel --------------------------------------------------------------------------------

// What Steer does for one channel. A plain pointer, valid as long as that channel's state and its
// pickers, and in the hooks of their calls. Any thread, unless it says otherwise.
class Channel {
 public:
  STEER_LOCAL explicit Channel(const steer_channel* channel) : channel_(channel) {}

  // A line in gRPC's log.
  STEER_LOCAL void Log(steer_severity severity, std::string_view message) const {
    detail::engine->log(channel_, severity, ToC(message));
  }
  // Since an arbitrary moment; never goes back.
  STEER_LOCAL std::chrono::nanoseconds Now() const {
    return std::chrono::nanoseconds(detail::engine->now(channel_));
  }
  // 64 random bits.
  STEER_LOCAL uint64_t Random() const { return detail::engine->random(channel_); }
  // Random and below `end`, which is not 0.
  STEER_LOCAL size_t RandomIndex(size_t end) const { return static_cast<size_t>(Random() % end); }

  // For the functions that PickerType calls for one channel, but not for its pickers: starts a
  // timer, whose number comes to PickerType::Timer. 0: too late.
  STEER_LOCAL uint64_t StartTimer(std::chrono::nanoseconds after) const {
    const auto count = after.count();
    return detail::engine->timer_start(channel_, count < 0 ? 0 : static_cast<uint64_t>(count));
  }
  STEER_LOCAL void CancelTimer(uint64_t timer) const {
    detail::engine->timer_cancel(channel_, timer);
  }
  // For the same: asks for a new picker, when something other than the backends has changed.
  STEER_LOCAL void Rebuild() const { detail::engine->rebuild(channel_); }

  const steer_channel* get() const { return channel_; }

 private:
  const steer_channel* channel_;
};

// --- Calls --------------------------------------------------------------------------------------

// The call that is being picked for. Valid during the pick, with the texts that come of it.
class Call {
 public:
  STEER_LOCAL explicit Call(const steer_call* call) : call_(call) {}

  // "/service/method", if the picker wants it: see Build::WantPath.
  STEER_LOCAL std::string_view path() const { return View(steer_call_path(call_)); }
  // A header, if the picker wants it: see Build::WantHeader.
  STEER_LOCAL std::optional<std::string_view> Header(std::string_view name) const {
    steer_str value;
    if (!steer_call_header(call_, ToC(name), &value)) return std::nullopt;
    return View(value);
  }
  // The hash that an xDS route gives the call, if the picker wants it: see Build::WantRequestHash.
  STEER_LOCAL std::optional<uint64_t> RequestHash() const {
    uint64_t hash = 0;
    if (!steer_call_request_hash(call_, &hash)) return std::nullopt;
    return hash;
  }
  // Adds a header, if this pick completes. Whether it was taken.
  STEER_LOCAL bool AddHeader(std::string_view name, std::string_view value) const {
    return steer_call_add_header(call_, ToC(name), ToC(value)) != 0;
  }

 private:
  const steer_call* call_;
};

// How a call ended. Valid during the hook.
class CallEnd {
 public:
  STEER_LOCAL explicit CallEnd(const steer_call_end* end) : end_(end) {}

  // It ran. If not, it never started or was given up, and there is no code.
  STEER_LOCAL bool finished() const { return end_->outcome == STEER_CALL_FINISHED; }
  STEER_LOCAL Code code() const { return static_cast<Code>(end_->code); }
  STEER_LOCAL bool ok() const { return finished() && code() == Code::kOk; }
  STEER_LOCAL std::string_view message() const { return View(end_->message); }
  STEER_LOCAL std::chrono::nanoseconds latency() const {
    return std::chrono::nanoseconds(end_->latency_ns);
  }
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
  STEER_LOCAL virtual ~TrackedCall() = default;
  STEER_LOCAL virtual void Started() {}
  virtual void Finished(const CallEnd& end) = 0;
};

namespace detail {

template <class Hook>
class CallHook final : public TrackedCall {
 public:
  STEER_LOCAL explicit CallHook(Hook hook) : hook_(std::move(hook)) {}
  STEER_LOCAL void Finished(const CallEnd& end) override { hook_(end); }

 private:
  Hook hook_;
};

}  // namespace detail

// What a fault leads to. It ends with another config, with a list of backends that comes 10 seconds
// later or more, and with the plugin's next release.
enum class OnFault : int32_t {
  // Round robin takes the picker's place: calls go on, to any backend.
  kFallBack = STEER_ON_FAULT_FALL_BACK,
  // The call that meets the fault fails, and the next one is the picker's again. When there are
  // more
  // faults than allowed, or a function other than a pick or a call's hook fails, all calls fail: no
  // call goes where the picker did not choose.
  kFail = STEER_ON_FAULT_FAIL,
};

namespace detail {

struct FaultRule {
  OnFault what = OnFault::kFallBack;
  uint32_t per_minute = 0;
};

}  // namespace detail

// What a pick leads to. A pick may make up to 16, and return any of them.
class [[nodiscard]] Choice {
 public:
  // Send the call to this backend: an index into the picker's.
  STEER_LOCAL static Choice Complete(size_t backend) {
    return Choice(steer_complete(backend), nullptr);
  }
  // The same, and tell `call` how it goes. This allocates.
  STEER_LOCAL static Choice Complete(size_t backend, std::unique_ptr<TrackedCall> call) {
    return Choice(steer_complete(backend), std::move(call));
  }
  // The same, for those who only want to know how it ended: `hook` is called with a
  // `const CallEnd&`, once.
  template <class Hook, std::enable_if_t<std::is_invocable_v<Hook&, const CallEnd&>, int> = 0>
  STEER_LOCAL static Choice Complete(size_t backend, Hook hook) {
    return Complete(backend, std::make_unique<detail::CallHook<Hook>>(std::move(hook)));
  }
  // Let the call wait for the next picker.
  STEER_LOCAL static Choice Queue() { return Choice(steer_queue(), nullptr); }
  // Fail the call, unless it waits for ready.
  STEER_LOCAL static Choice Fail(Code code, std::string_view message) {
    return Choice(detail::engine->fail(static_cast<int32_t>(code), ToC(message)), nullptr);
  }
  // Fail the call in any case, and do not retry it.
  STEER_LOCAL static Choice Drop(Code code, std::string_view message) {
    return Choice(detail::engine->drop(static_cast<int32_t>(code), ToC(message)), nullptr);
  }
  // This picker is broken.
  STEER_LOCAL static Choice Fault(std::string_view message) {
    return Choice(detail::engine->fault(ToC(message)), nullptr);
  }

  // For the C ABI. Gives up the tracked call: the engine has it from now on.
  STEER_LOCAL steer_choice Release() && {
    if (call_ == nullptr) return choice_;
    return detail::engine->complete_tracked(choice_.value, call_.release());
  }

 private:
  STEER_LOCAL Choice(steer_choice choice, std::unique_ptr<TrackedCall> call)
      : choice_(choice), call_(std::move(call)) {}

  steer_choice choice_;
  std::unique_ptr<TrackedCall> call_;
};

// --- Pickers ------------------------------------------------------------------------------------

// What a picker wants to know of each call; what it does not ask for costs nothing.
class Wants {
 public:
  STEER_LOCAL void WantPath() { bits_ |= STEER_WANTS_PATH; }
  // The hash that an xDS route gives the call.
  STEER_LOCAL void WantRequestHash() { bits_ |= STEER_WANTS_REQUEST_HASH; }
  // Backend metrics, in CallEnd.
  STEER_LOCAL void WantMetrics() { bits_ |= STEER_WANTS_METRICS; }
  // A header that it reads, in lower case.
  STEER_LOCAL void WantHeader(std::string name) {
    WantAddedHeaders();
    headers_.push_back(std::move(name));
  }
  // It adds headers, whether or not it reads any.
  STEER_LOCAL void WantAddedHeaders() { bits_ |= STEER_WANTS_HEADERS; }

  // For the C ABI. `texts` must live as long as this is read, and this, too.
  STEER_LOCAL void Write(steer_wants* wants, std::vector<steer_str>* texts) const {
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
// Never copied itself: what a copy wants would be lost.
template <class Config = NotGiven, class State = NotGiven>
struct Build : Wants {
  const Config& config;
  State& state;
  Backends backends;
  Channel channel;

  // Made by this header.
  STEER_LOCAL Build(const Config& c, State& s, Backends b, Channel of)
      : config(c), state(s), backends(std::move(b)), channel(of) {}
  Build(const Build&) = delete;
  Build& operator=(const Build&) = delete;
};

namespace detail {

STEER_LOCAL inline void CallStarted(const void*, uint64_t, void* state) {
  Guarded("TrackedCall::Started", [&]() -> int32_t {
    static_cast<TrackedCall*>(state)->Started();
    return 0;
  });
}

STEER_LOCAL inline void CallFinished(const void*, uint64_t, void* state,
                                     const steer_call_end* end) {
  const std::unique_ptr<TrackedCall> call(static_cast<TrackedCall*>(state));
  Guarded("TrackedCall::Finished", [&]() -> int32_t {
    call->Finished(CallEnd(end));
    return 0;
  });
}

// For the hooks of both levels.
template <class Hooks>
STEER_LOCAL int32_t ConfigNew(void* ctx, const steer_json* json, steer_faults* faults,
                              void** config) {
  return Guarded("the config's function", [&]() -> int32_t {
    bool faulted = false;
    using Config = typename Hooks::Config;
    void* const made = NewTagged<Config>(
        [&] { return Hooks::Of(ctx).config_fn(Json(json, faults, "", &faulted)); });
    if (faulted) {
      FreeTagged<Config>(made);
    } else {
      *config = made;
    }
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

  // The picker behind the C table, with what the engine reads of it later.
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
    table.on_fault = static_cast<int32_t>(fault_rule.what);
    table.faults_per_minute = fault_rule.per_minute;
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
  STEER_LOCAL PickerType(std::string name, ConfigFn config, StateFn state, DataFn data,
                         TimerFn timer, detail::FaultRule fault_rule = {})
      : name_(std::move(name)),
        config_(std::move(config)),
        state_(std::move(state)),
        data_(std::move(data)),
        timer_(std::move(timer)),
        fault_rule_(fault_rule) {}

  // Reads a config: `Config config(const Json&)`. What it returns is Build::config.
  template <class Fn>
  STEER_LOCAL auto Config(Fn fn) && {
    return PickerType<Fn, StateFn, DataFn, TimerFn>(std::move(name_), std::move(fn),
                                                    std::move(state_), std::move(data_),
                                                    std::move(timer_), fault_rule_);
  }

  // Makes what the pickers of one channel share, one after another: `State state(Channel)`. What it
  // returns is Build::state.
  template <class Fn>
  STEER_LOCAL auto ChannelState(Fn fn) && {
    return PickerType<ConfigFn, Fn, DataFn, TimerFn>(std::move(name_), std::move(config_),
                                                     std::move(fn), std::move(data_),
                                                     std::move(timer_), fault_rule_);
  }

  // Makes what is remembered of a backend as long as the resolver lists its addresses, over new
  // pickers and lost connections: `Data data(State&, const Backend&)`. What it returns is
  // Backend::data<Data>().
  template <class Fn>
  STEER_LOCAL auto BackendData(Fn fn) && {
    return PickerType<ConfigFn, StateFn, Fn, TimerFn>(std::move(name_), std::move(config_),
                                                      std::move(state_), std::move(fn),
                                                      std::move(timer_), fault_rule_);
  }

  // Is told that a timer has run out: `void timer(State&, uint64_t timer)`.
  template <class Fn>
  STEER_LOCAL auto Timer(Fn fn) && {
    return PickerType<ConfigFn, StateFn, DataFn, Fn>(std::move(name_), std::move(config_),
                                                     std::move(state_), std::move(data_),
                                                     std::move(fn), fault_rule_);
  }

  // What a fault leads to. `faults_per_minute` picks and hooks of calls may fail in a minute, and
  // fail the call at hand and no more; one more counts. 0: none with kFallBack, any number with
  // kFail.
  STEER_LOCAL PickerType OnFault(steer::OnFault what, uint32_t faults_per_minute = 0) && {
    fault_rule_ = {what, faults_per_minute};
    return std::move(*this);
  }

  // Registers it. `make` makes a picker, whenever the READY backends or the config have changed:
  // `Pick make(Build<Config, State>&)`, or `auto make(auto& build)`. `Pick` is a lambda or an
  // object, called as `Choice pick(const Call&) const` from many threads at once. 0, or other than
  // 0 when that fails: `api->last_error()` says why. It is what an entry returns.
  template <class Make>
  STEER_LOCAL int32_t Register(const steer_api* api, Make make) && {
    using Hooks = detail::PickerHooks<ConfigFn, StateFn, DataFn, TimerFn, Make>;
    detail::engine = api;
    return detail::Guarded("Picker::Register", [&]() -> int32_t {
      auto* const hooks = new Hooks{std::move(config_), std::move(state_), std::move(data_),
                                    std::move(timer_),  std::move(make),   fault_rule_};
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
  detail::FaultRule fault_rule_;
};

// A type of pickers of this name: that in `loadBalancingConfig`.
STEER_LOCAL inline auto Picker(std::string name) {
  return PickerType<NotGiven, NotGiven, NotGiven, NotGiven>(std::move(name), {}, {}, {}, {});
}

// --- Policies -----------------------------------------------------------------------------------
//
// The full level: a policy decides itself which connections there are, and what state they amount
// to.

// A resolver's answer. Valid during Policy::Update; copies of `endpoints` can be kept.
class Resolved {
 public:
  STEER_LOCAL explicit Resolved(const steer_resolved* resolved)
      : endpoints(resolved->endpoints), resolved_(resolved) {}

  // In the resolver's order; none when there are none.
  const Backends endpoints;

  // What the config's function made: `Config` is what it returned. Another type is a fault; without
  // exceptions it ends the process.
  template <class Config>
  STEER_LOCAL const Config& config() const {
    if (const Config* const found = FindConfig<Config>()) return *found;
    detail::Mistake("Resolved::config<T>: T is not what the config's function returns");
  }
  // The same; NULL when it is of another type.
  template <class Config>
  STEER_LOCAL const Config* FindConfig() const {
    return detail::FindTagged<const Config>(const_cast<void*>(resolved_->config));
  }
  // Not kOk: the resolver failed, and there are no endpoints to look at.
  STEER_LOCAL Code code() const { return static_cast<Code>(resolved_->code); }
  STEER_LOCAL std::string_view message() const { return View(resolved_->message); }
  // For people, to be part of the status when there are no endpoints.
  STEER_LOCAL std::string_view resolution_note() const { return View(resolved_->resolution_note); }

 private:
  const steer_resolved* resolved_;
};

// What one channel's policy does. All of it is called for one thing after the other.
class Policy {
 public:
  STEER_LOCAL virtual ~Policy() = default;
  // Returns what the resolver is to be told: kOk when the update was accepted. See also
  // PolicyChannel::Refuse.
  virtual Code Update(const Resolved& resolved) = 0;
  // An endpoint's state has changed; `code` and `message` say why it failed.
  virtual void EndpointReport(uint64_t endpoint, steer_state state, Code code,
                              std::string_view message) = 0;
  // A call came while the policy was IDLE.
  STEER_LOCAL virtual void ExitIdle() {}
  STEER_LOCAL virtual void Timer(uint64_t /*timer*/) {}
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

// A channel, as its policy has it, and in its functions only.
class PolicyChannel : public Channel {
 public:
  using Channel::Channel;

  // Makes an endpoint for the one at this index of the latest update: its number. It reports its
  // state soon after, and does not connect before it is asked to. 0: it cannot be made.
  STEER_LOCAL uint64_t NewEndpoint(size_t index) const {
    return detail::engine->endpoint_new(get(), index);
  }
  // Whether the endpoint is what NewEndpoint would make for this index of the latest update.
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

  // For Policy::Update: what the resolver is to be told, with a text. To be returned.
  STEER_LOCAL Code Refuse(Code code, std::string_view message) const {
    detail::engine->fail(static_cast<int32_t>(code), ToC(message));
    return code;
  }

  // Publishes a state in which calls wait.
  STEER_LOCAL bool Publish(steer_state state) const { return Publish(state, Code::kOk, {}); }
  // TRANSIENT_FAILURE: calls fail with this.
  STEER_LOCAL bool PublishFailure(Code code, std::string_view message) const {
    return Publish(STEER_TRANSIENT_FAILURE, code, message);
  }
  // Publishes a picker, `Choice pick(const Call&) const`, whose choices are indices into
  // `endpoints`. False when one of these is not READY.
  template <class Pick>
  STEER_LOCAL bool Publish(steer_state state, const std::vector<uint64_t>& endpoints, Pick pick,
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

// The hooks of one type of policies, and its functions: the `ctx` of the C table.
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
      Guarded("Policy::Timer", [&]() -> int32_t { return Get(policy).Timer(timer), 0; });
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

// Registers a type of policies. `config` reads a config: `Config config(const Json&)`; `make` makes
// one channel's policy: `std::unique_ptr<Policy> make(PolicyChannel)`. What a fault leads to is as
// in PickerType::OnFault. Returns as PickerType::Register.
template <class ConfigFn, class MakeFn>
STEER_LOCAL int32_t RegisterPolicy(const steer_api* api, std::string_view name, ConfigFn config,
                                   MakeFn make, OnFault on_fault = OnFault::kFallBack,
                                   uint32_t faults_per_minute = 0) {
  detail::engine = api;
  return detail::Guarded("RegisterPolicy", [&]() -> int32_t {
    auto* const hooks = new detail::PolicyHooks<ConfigFn, MakeFn>{
        std::move(config), std::move(make), {on_fault, faults_per_minute}};
    const steer_policy_type table = hooks->Table(name);
    return api->register_policy(&table);  // frees the hooks, in the end or when it fails
  });
}

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_STEER_HPP
