/* Its table has no `picker_new`. */
#define TABLE .picker_new = NULL,
#include "base.h"
