// The C ABI's texts, as C++ has them.
//
// Must not include: anything of gRPC's.
#ifndef STEER_TEXT_HPP
#define STEER_TEXT_HPP

#include <string>
#include <string_view>

#include "steer/steer.h"

namespace steer {

// Valid as long as what `text` views.
inline steer_str ToC(std::string_view text) { return {text.data(), text.size()}; }

// Copies it.
inline std::string FromC(steer_str text) {
  return text.length == 0 ? std::string() : std::string(text.data, text.length);
}

// Takes a string of the engine's over; NULL is the empty text.
inline std::string TakeString(steer_string* string) {
  std::string text = FromC(steer_string_text(string));
  steer_string_free(string);
  return text;
}

}  // namespace steer

#endif  // STEER_TEXT_HPP
