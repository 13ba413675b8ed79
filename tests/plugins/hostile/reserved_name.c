/* Its picker's name begins like those of the engine. */
#define TYPE_NAME "steer_mine"
#include "base.h"
