// Part of steer.hpp, which users include: calls, choices and faults.
#ifndef STEER_CPP_CALL_HPP
#define STEER_CPP_CALL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "steer/cpp/base.hpp"
#include "steer/cpp/load_report.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// The call of a pick. Valid during the pick, together with its texts.
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
  // Adds a header, if this pick completes. Returns whether it was taken.
  STEER_LOCAL bool AddHeader(std::string_view name, std::string_view value) const {
    return steer_call_add_header(call_, ToC(name), ToC(value)) != 0;
  }

 private:
  const steer_call* call_;
};

// The end of a call. Valid during the hook.
class CallEnd {
 public:
  STEER_LOCAL explicit CallEnd(const steer_call_end* end) : end_(end) {}

  // Whether the call ran. Otherwise it never started or was abandoned, and there is no code.
  STEER_LOCAL bool finished() const { return end_->outcome == STEER_CALL_FINISHED; }
  STEER_LOCAL Code code() const { return static_cast<Code>(end_->code); }
  STEER_LOCAL bool ok() const { return finished() && code() == Code::kOk; }
  STEER_LOCAL std::string_view message() const { return View(end_->message); }
  STEER_LOCAL std::chrono::nanoseconds latency() const {
    return std::chrono::nanoseconds(end_->latency_ns);
  }
  // The backend's report. NULL if there is none, or if the picker does not want it: see
  // Build::WantMetrics.
  const steer_metrics* metrics() const { return end_->metrics; }
  // The same, with functions that find a number by its name.
  STEER_LOCAL LoadReport report() const { return LoadReport(end_->metrics); }

 private:
  const steer_call_end* end_;
};

// The base class for the data of a picker about one call. Deleted when the call has ended in any
// way. Its functions are called on any thread, one at a time.
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

// The effect of a fault. It ends with another config, with a list of backends that comes at least
// 10 seconds later, and with the plugin's next release.
enum class OnFault : int32_t {
  // Round robin replaces the picker. Calls continue, to any backend.
  kFallBack = STEER_ON_FAULT_FALL_BACK,
  // The call that meets the fault fails, and the picker gets the next one. With more faults than
  // allowed, or when a function other than a pick or a call's hook fails, all calls fail. So no
  // call goes to a backend that the picker did not choose.
  kFail = STEER_ON_FAULT_FAIL,
};

namespace detail {

struct FaultRule {
  OnFault what = OnFault::kFallBack;
  uint32_t per_minute = 0;
};

}  // namespace detail

// The result of a pick. A pick may make up to 16 choices, and return any of them.
class [[nodiscard]] Choice {
 public:
  // Send the call to this backend: an index into the picker's backends.
  STEER_LOCAL static Choice Complete(size_t backend) {
    return Choice(steer_complete(backend), nullptr);
  }
  // The same, and report the call to `call`. This allocates.
  STEER_LOCAL static Choice Complete(size_t backend, std::unique_ptr<TrackedCall> call) {
    return Choice(steer_complete(backend), std::move(call));
  }
  // The same, for users who need only the call's end. Calls `hook` once, with a `const CallEnd&`.
  template <class Hook, std::enable_if_t<std::is_invocable_v<Hook&, const CallEnd&>, int> = 0>
  STEER_LOCAL static Choice Complete(size_t backend, Hook hook) {
    return Complete(backend, std::make_unique<detail::CallHook<Hook>>(std::move(hook)));
  }
  // Leave the call to the child of this index in PolicyChannel::PublishChildren.
  STEER_LOCAL static Choice Child(size_t child) { return Choice(steer_child(child), nullptr); }
  // The same, and report the call to `call`, if the child sends it to a backend. This allocates.
  STEER_LOCAL static Choice Child(size_t child, std::unique_ptr<TrackedCall> call) {
    return Choice(steer_child(child), std::move(call));
  }
  // The same, for users who need only the call's end: as Complete.
  template <class Hook, std::enable_if_t<std::is_invocable_v<Hook&, const CallEnd&>, int> = 0>
  STEER_LOCAL static Choice Child(size_t child, Hook hook) {
    return Child(child, std::make_unique<detail::CallHook<Hook>>(std::move(hook)));
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

  // For the C ABI. The engine owns the tracked call from now on.
  STEER_LOCAL steer_choice Release() && {
    if (call_ == nullptr) return choice_;
    if (choice_.kind == STEER_CHOICE_CHILD) {
      return detail::engine->child_tracked(choice_.value, call_.release());
    }
    return detail::engine->complete_tracked(choice_.value, call_.release());
  }

 private:
  STEER_LOCAL Choice(steer_choice choice, std::unique_ptr<TrackedCall> call)
      : choice_(choice), call_(std::move(call)) {}

  steer_choice choice_;
  std::unique_ptr<TrackedCall> call_;
};

// The parts of each call that a picker reads. Parts that it does not ask for cost nothing.
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
  // The picker adds headers. It may read some, too.
  STEER_LOCAL void WantAddedHeaders() { bits_ |= STEER_WANTS_HEADERS; }

  // For the C ABI. `texts` and this object must outlive `wants`.
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

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_CALL_HPP
