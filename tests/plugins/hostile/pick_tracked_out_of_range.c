/* Tracks a call to a backend beyond the last one. */
#define PICK return api->complete_tracked(99, NULL);
#include "base.h"
