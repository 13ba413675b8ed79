// How the copies of Steer in a process find each other.
#include "copies.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <mutex>

#include "steer/text.hpp"

namespace steer::shim {
namespace {

// What precedes the address. Another form of the text must have another number.
constexpr char kMagic[] = "copy of Steer 1 at ";

}  // namespace

std::string TextOfCopy(const Copy* copy) {
  // Two hexadecimal digits for each byte.
  char digits[2 * sizeof(uintptr_t)];
  const auto address = reinterpret_cast<uintptr_t>(copy);
  const auto end = std::to_chars(digits, digits + sizeof(digits), address, 16).ptr;
  return kMagic + std::string(digits, end);
}

const Copy* CopyOfText(const std::string& text) {
  const std::string magic = kMagic;
  if (text.compare(0, magic.size(), magic) != 0) return nullptr;
  uintptr_t address = 0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + magic.size(), end, address, 16);
  if (error != std::errc() || last != end) return nullptr;
  // The text came from TextOfCopy of a copy that is never unloaded (StayLoaded in register.cc).
  const auto* copy = reinterpret_cast<const Copy*>(address);
  return copy != nullptr && copy->struct_size >= sizeof(Copy) ? copy : nullptr;
}

Followed Follow(const Copy* leader) {
  static std::mutex mu;
  static std::map<const Copy*, Followed> followed;
  std::lock_guard<std::mutex> lock(mu);
  const auto [place, is_new] = followed.try_emplace(leader);
  Followed& answer = place->second;
  if (is_new) {
    answer.leader = leader;
    answer.status = steer_engine_follow(leader->engine);
    if (answer.status != STEER_OK) answer.why = FromC(steer_last_error());
  }
  return answer;
}

std::string NameOfCopy(const Copy* copy) {
  return FromC(copy->engine->place) + " (Steer " + FromC(copy->engine->version) + ")";
}

}  // namespace steer::shim
