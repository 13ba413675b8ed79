/* Its table has none of the required hooks. */
#define TABLE .picker_new = NULL, .pick = NULL,
#include "base.h"
