/* Its entry fails, and says why. */
#define ENTRY FAULT("the license has run out");
#include "base.h"
