/* Makes a tracked choice, and returns another one. */
#define PICK api->complete_tracked(0, (void *)picker);
#include "base.h"
