/* Has no entry. */
#define BLOCK .entry = NULL,
#include "base.h"
