/* Its picker has the name of a policy of the engine. */
#define TYPE_NAME "steer_round_robin"
#include "base.h"
