/* Its policy table is larger than that of its ABI version. */
#define BLOCK .policy_type_size = sizeof(struct steer_policy_type) + 8,
#include "base.h"
