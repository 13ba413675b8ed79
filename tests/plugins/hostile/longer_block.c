/* Compiled for a later header, whose additions it can do without. */
#define BLOCK .struct_size = sizeof(struct steer_plugin) + 64,
#include "base.h"
