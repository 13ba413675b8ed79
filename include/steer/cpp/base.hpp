// Part of steer.hpp, which users include: status codes, and the parts that all
// others use.
#ifndef STEER_CPP_BASE_HPP
#define STEER_CPP_BASE_HPP

#include <cstdint>
#include <cstdio>
#include <string_view>
#include <type_traits>
#if defined(__cpp_exceptions)
#include <exception>
#include <stdexcept>
#else
#include <cstdlib>
#endif

#include "steer/picker.h"

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

// Valid as long as the text.
STEER_LOCAL inline std::string_view View(steer_str text) { return {text.data, text.length}; }

// The type of functions that users leave out. (Not `None`: Xlib.h has a macro of that name.)
struct NotGiven {};

namespace detail {

// The engine, for functions without a channel. Set when a library's first type is registered. Each
// library has its own pointer. It is not hidden: if the dynamic linker uses one library's functions
// for another one of this release (a program that exports its symbols, and a plugin with the same
// classes), both must use the same pointer. Not `inline`: GCC would make one for all libraries.
#if defined(__GNUC__)
extern const steer_api* engine;
__attribute__((weak)) const steer_api* engine = nullptr;
#else
inline const steer_api* engine = nullptr;
#endif

// The result of a hook after a fault.
struct Failed {
  STEER_LOCAL operator int32_t() const { return 1; }
  STEER_LOCAL operator steer_choice() const { return choice; }
  steer_choice choice;
};

// Runs a hook's body. Turns an exception into a fault of the policy.
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
    std::snprintf(text, sizeof text, "%s threw something that is not a std::exception", hook);
  }
  return static_cast<decltype(body())>(Failed{engine->fault(steer_text(text))});
#else
  return body();
#endif
}

// The address of `number` identifies a type, also without RTTI. Not const: linkers may merge
// constants.
template <class T>
struct TypeOf {
  STEER_LOCAL static inline char number = 0;
};

struct Tag {
  const void* type;
};

// A user's value behind a void* of the C ABI, with its type.
template <class T>
struct Tagged : Tag {
  T value;
};

// Makes a user's value for the C ABI.
template <class T, class Make>
STEER_LOCAL void* NewTagged(Make&& make) {
  return static_cast<Tag*>(new Tagged<T>{{&TypeOf<T>::number}, make()});
}

template <class T>
STEER_LOCAL void FreeTagged(void* value) {
  delete static_cast<Tagged<T>*>(static_cast<Tag*>(value));
}

// Reports a mistake of the user after which the function cannot continue: a fault. Without
// exceptions it ends the process.
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

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_BASE_HPP
