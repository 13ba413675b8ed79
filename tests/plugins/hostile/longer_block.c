/* Compiled with a later header, whose additions it does not need. */
#define BLOCK .struct_size = sizeof(struct steer_plugin) + 64,
#include "base.h"
