// How the copies of Steer in a process meet: by the gRPC that they register with. The first copy
// adds, with its policies, one of a fixed name, whose parser answers a question with the address of
// a table. Others find it there, add nothing of their own, and have their engine follow.
//
// Must not know: how gRPC collects factories, what registration reports.
#ifndef STEER_SHIM_COPIES_H
#define STEER_SHIM_COPIES_H

#include <cstddef>
#include <string>

#include "steer/steer.h"

namespace steer::shim {

// The policy that copies meet by. No service config can use it.
inline constexpr char kMeetingPolicy[] = "steer_internal_engine";
// What its parser answers, and nothing else.
inline constexpr char kQuestion[] = "which copy of Steer serves?";

// A copy of Steer, for the others that are compiled for the same gRPC. It grows at its end.
struct Copy {
  size_t struct_size;
  const steer_engine* engine;
  // Adds its policies to a registry's builder, except those that are there. To gRPC 1.49, NULL.
  void (*add_policies)(void* registry_builder);
};

// A copy as a text, and back. NULL: it is no such text.
std::string TextOfCopy(const Copy* copy);
const Copy* CopyOfText(const std::string& text);

// What came of following a copy's engine.
struct Followed {
  const Copy* leader = nullptr;
  steer_status status = STEER_OK;
  std::string why;
};

// Has the engine follow that of `leader`, once. Any thread.
Followed Follow(const Copy* leader);

// "<file> (Steer <version>)".
std::string NameOfCopy(const Copy* copy);

}  // namespace steer::shim

#endif  // STEER_SHIM_COPIES_H
