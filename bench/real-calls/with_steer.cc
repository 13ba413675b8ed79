// gain_client: a client with Steer.
#include <steer/grpc.h>

#include "policies.h"

namespace gain {

std::string RegisterPolicies() {
  const steer::RegisterStatus status = steer::Register();
  return status.ok() ? "" : status.message();
}

}  // namespace gain
