/* Its tables have more than its ABI version. */
#define BLOCK .policy_type_size = sizeof(struct steer_policy_type) + 8,
#include "base.h"
