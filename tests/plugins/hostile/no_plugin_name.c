/* Does not say what it is. */
#define BLOCK .name = {NULL, 0},
#include "base.h"
