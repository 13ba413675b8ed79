/* Has no name. */
#define BLOCK .name = {NULL, 0},
#include "base.h"
