/*
 * Includes STEER_HEADER between names that other headers and programs define. These names must not
 * change Steer's header, and the header must not define any of them.
 *
 * Names that only C++ can tell apart, such as steer::Code and ::Code, are macros in C and types in
 * C++.
 */
/* Every header of the standard library that Steer's headers include: they may use all names. */
#ifdef __cplusplus
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
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
#define Ok hostile name
#define Cancelled hostile name
#define Unknown hostile name
#define InvalidArgument hostile name
#define NotFound hostile name
#define Aborted hostile name
#define Internal hostile name
#define Unavailable hostile name
#define Code_ALL hostile name
#define min(a, b) hostile name
#define max(a, b) hostile name
#define OK hostile name
#define ERROR hostile name
#define DEBUG hostile name
#define READY hostile name
#define IDLE hostile name
#define CHECK(condition) hostile name
#define LOG(severity) hostile name

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
#define TimerId hostile name
#define Code hostile name
#define Backend hostile name
#define Call hostile name
#define Channel hostile name
#define Choice hostile name
#define Picker hostile name
#define Policy hostile name
#define Status hostile name
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
