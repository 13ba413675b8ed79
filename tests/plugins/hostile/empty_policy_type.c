/* Registers a policy type without any hook. */
#define ENTRY                                                                                    \
  const steer_policy_type policy = {.struct_size = sizeof policy, .name = STEER_TEXT("hollow")}; \
  return api->register_policy(&policy);
#include "base.h"
