/* Compiled for a machine with another pointer size. */
#define BLOCK .pointer_size = 4,
#include "base.h"
