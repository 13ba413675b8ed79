/* Its block is shorter than in the first version. */
#define BLOCK .struct_size = sizeof(struct steer_plugin) - 8,
#include "base.h"
