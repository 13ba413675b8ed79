/* Its picker has a name as the engine's own have. */
#define TYPE_NAME "steer_mine"
#include "base.h"
