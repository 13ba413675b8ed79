// gain_plain_client: a client that knows nothing of Steer.
#include "policies.h"

namespace gain {

std::string RegisterPolicies() { return ""; }

}  // namespace gain
