/* Fails for each channel. */
#define INSTANCE_NEW FAULT("no channel is good enough");
#include "base.h"
