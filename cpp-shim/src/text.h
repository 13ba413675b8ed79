// Text across the C ABI.
//
// Must not know: gRPC's classes.
#ifndef STEER_SHIM_TEXT_H
#define STEER_SHIM_TEXT_H

#include <string>

#include "absl/strings/string_view.h"
#include "steer/steer.h"

namespace steer {
namespace shim {

inline steer_str ToC(absl::string_view text) { return {text.data(), text.size()}; }

inline std::string FromC(steer_str text) {
  return text.length == 0 ? std::string() : std::string(text.data, text.length);
}

// Takes a string of the engine's over; NULL is the empty text.
inline std::string TakeString(steer_string* string) {
  std::string text = FromC(steer_string_text(string));
  steer_string_free(string);
  return text;
}

}  // namespace shim
}  // namespace steer

#endif  // STEER_SHIM_TEXT_H
