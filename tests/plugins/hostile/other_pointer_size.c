/* Compiled for a machine with other pointers. */
#define BLOCK .pointer_size = 4,
#include "base.h"
