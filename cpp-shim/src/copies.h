// How the copies of Steer in a process find each other: through the gRPC that they register with.
//
// The first copy adds a policy with a fixed name beside its own policies. The parser of that policy
// answers one question with the address of a table (Copy). Another copy asks, finds the table, adds
// no policies, and has its engine follow the first one.
//
// Must not depend on: how gRPC collects factories, what Register returns.
#ifndef STEER_SHIM_COPIES_H
#define STEER_SHIM_COPIES_H

#include <cstddef>
#include <string>

#include "steer/steer.h"

namespace steer::shim {

// The policy through which copies meet. Service configs cannot use it.
inline constexpr char kMeetingPolicy[] = "steer_internal_engine";
// The only field that its parser accepts.
inline constexpr char kQuestion[] = "which copy of Steer serves?";

// A copy of Steer, as others see it that were compiled for the same gRPC version. The table is
// static in its copy, which is never unloaded. New fields are added at the end.
struct Copy {
  size_t struct_size;
  const steer_engine* engine;
  // Adds the engine's policies to a RegistryBuilder. Skips those that it has. The builder is NULL
  // up to gRPC 1.49.
  void (*add_policies)(void* registry_builder);
};

// A copy's address as text, and back. NULL: not such a text.
std::string TextOfCopy(const Copy* copy);
const Copy* CopyOfText(const std::string& text);

// The result of following another copy's engine.
struct Followed {
  const Copy* leader = nullptr;
  steer_status status = STEER_OK;
  // Empty unless `status` is an error.
  std::string why;
};

// Has this copy's engine follow that of `leader`. Only the first call for a leader does so; later
// calls return its result. Any thread.
Followed Follow(const Copy* leader);

// "<file> (Steer <version>)".
std::string NameOfCopy(const Copy* copy);

}  // namespace steer::shim

#endif  // STEER_SHIM_COPIES_H
