/*
 * Includes STEER_HEADER between names that other headers and programs have for things of their
 * own. None of them may change what Steer's header says, and it may not take any of them.
 *
 * What only C++ can tell apart (steer::Code and ::Code) is a macro for C and a type for C++.
 */
#ifdef __cplusplus
#include <atomic>
#include <charconv>
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>
#endif
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Xlib.h, windows.h, and everybody's enums. */
#define None 0L
#define Ok ~ hostile ~
#define Cancelled ~ hostile ~
#define Unknown ~ hostile ~
#define InvalidArgument ~ hostile ~
#define NotFound ~ hostile ~
#define Aborted ~ hostile ~
#define Internal ~ hostile ~
#define Unavailable ~ hostile ~
#define Code_ALL ~ hostile ~
#define min(a, b) ~ hostile ~
#define max(a, b) ~ hostile ~
#define OK ~ hostile ~
#define ERROR ~ hostile ~
#define DEBUG ~ hostile ~
#define READY ~ hostile ~
#define IDLE ~ hostile ~
#define CHECK(condition) ~ hostile ~
#define LOG(severity) ~ hostile ~

#ifdef __cplusplus
struct TimerId {};
struct Backend {};
struct Call {};
struct Channel {};
struct Choice {};
struct Picker {};
struct Policy {};
namespace Status {}
enum Code { kOk = 1 };
#else
#define TimerId ~ hostile ~
#define Code ~ hostile ~
#define Backend ~ hostile ~
#define Call ~ hostile ~
#define Channel ~ hostile ~
#define Choice ~ hostile ~
#define Picker ~ hostile ~
#define Policy ~ hostile ~
#define Status ~ hostile ~
#endif

#include STEER_HEADER

#ifdef __cplusplus
namespace steer {}
using namespace steer;
#undef Ok
#undef Internal
namespace Internal {
enum Result { Ok };
}
int steer_hostile_names_are_still_theirs(::Code code, ::TimerId, ::Channel);
int steer_hostile_names_are_still_theirs(::Code code, ::TimerId, ::Channel) {
  return code + Internal::Ok;
}
#else
#undef Ok
#undef Code
#undef TimerId
enum Result { Ok, Failed };
struct TimerId {
  enum Result result;
};
typedef struct TimerId Code;
int steer_hostile_names_are_still_theirs(Code code);
int steer_hostile_names_are_still_theirs(Code code) { return code.result == Ok; }
#endif
