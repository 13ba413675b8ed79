/* Tracks a call that nobody makes. */
#define PICKER_NEW api->complete_tracked(0, instance);
#include "base.h"
