// What a client does before its first channel so that it has Steer's policies.
#ifndef STEER_GAIN_POLICIES_H
#define STEER_GAIN_POLICIES_H

#include <string>

namespace gain {

// Why it failed. Empty: it did not. gain_client calls Steer; gain_plain_client, a client without
// Steer, does nothing.
std::string RegisterPolicies();

}  // namespace gain

#endif  // STEER_GAIN_POLICIES_H
