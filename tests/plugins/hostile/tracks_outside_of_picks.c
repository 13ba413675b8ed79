/* Makes a tracked choice outside of a pick. */
#define PICKER_NEW api->complete_tracked(0, instance);
#include "base.h"
