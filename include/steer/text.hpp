// The C ABI's strings as C++ strings.
//
// Must not include: anything of gRPC's.
#ifndef STEER_TEXT_HPP
#define STEER_TEXT_HPP

#include <string>
#include <string_view>

#include "steer/steer.h"

// Marks functions that are defined in headers. Each library keeps its own copy of them, so that the
// dynamic linker never replaces it by one of another release or with other compiler options.
#ifndef STEER_LOCAL
#if defined(__GNUC__)
#define STEER_LOCAL __attribute__((visibility("hidden")))
#else
#define STEER_LOCAL
#endif
#endif

namespace steer {

// Valid as long as the characters that `text` views.
STEER_LOCAL inline steer_str ToC(std::string_view text) { return {text.data(), text.size()}; }

// Copies the characters.
STEER_LOCAL inline std::string FromC(steer_str text) {
  return text.length == 0 ? std::string() : std::string(text.data, text.length);
}

// Copies a string of the engine's and frees it. NULL: returns the empty string.
STEER_LOCAL inline std::string TakeString(steer_string* string) {
  std::string text = FromC(steer_string_text(string));
  steer_string_free(string);
  return text;
}

}  // namespace steer

#endif  // STEER_TEXT_HPP
