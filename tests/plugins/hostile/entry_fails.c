/* Its entry fails, without a reason. */
#define ENTRY return 7;
#include "base.h"
