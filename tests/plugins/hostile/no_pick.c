/* Its table has no `pick`. */
#define TABLE .pick = NULL,
#include "base.h"
