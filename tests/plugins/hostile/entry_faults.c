/* Its entry fails, with a reason. */
#define ENTRY FAULT("the license has run out");
#include "base.h"
