/* Its entry does nothing. */
#define ENTRY return 0;
#include "base.h"
