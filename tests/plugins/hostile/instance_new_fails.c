/* Fails for each channel, and does not say why. */
#define INSTANCE_NEW return -1;
#include "base.h"
