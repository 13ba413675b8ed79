/* Its picker has the name of one of the engine's own. */
#define TYPE_NAME "steer_round_robin"
#include "base.h"
