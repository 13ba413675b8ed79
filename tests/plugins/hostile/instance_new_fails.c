/* Fails for each channel, without a reason. */
#define INSTANCE_NEW return -1;
#include "base.h"
