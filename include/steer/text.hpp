// The C ABI's texts, as C++ has them.
//
// Must not include: anything of gRPC's.
#ifndef STEER_TEXT_HPP
#define STEER_TEXT_HPP

#include <string>
#include <string_view>

#include "steer/steer.h"

// For functions that are in headers: each library has its own, so that one that was compiled with
// another release, or with other options, never takes its place.
#ifndef STEER_LOCAL
#if defined(__GNUC__)
#define STEER_LOCAL __attribute__((visibility("hidden")))
#else
#define STEER_LOCAL
#endif
#endif

namespace steer {

// Valid as long as what `text` views.
STEER_LOCAL inline steer_str ToC(std::string_view text) { return {text.data(), text.size()}; }

// Copies it.
STEER_LOCAL inline std::string FromC(steer_str text) {
  return text.length == 0 ? std::string() : std::string(text.data, text.length);
}

// Takes a string of the engine's over; NULL is the empty text.
STEER_LOCAL inline std::string TakeString(steer_string* string) {
  std::string text = FromC(steer_string_text(string));
  steer_string_free(string);
  return text;
}

}  // namespace steer

#endif  // STEER_TEXT_HPP
