/* Its block is shorter than the first version of it. */
#define BLOCK .struct_size = sizeof(struct steer_plugin) - 8,
#include "base.h"
