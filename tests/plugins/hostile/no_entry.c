/* There is nothing to call. */
#define BLOCK .entry = NULL,
#include "base.h"
