/* Tracks calls, and has nothing to hear of them. */
#define TABLE .call_finished = NULL,
#define PICK return api->complete_tracked(0, NULL);
#include "base.h"
