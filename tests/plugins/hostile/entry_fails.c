/* Its entry fails, and does not say why. */
#define ENTRY return 7;
#include "base.h"
