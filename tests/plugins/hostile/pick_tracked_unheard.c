/* Tracks calls without `call_finished`. */
#define TABLE .call_finished = NULL,
#define PICK return api->complete_tracked(0, NULL);
#include "base.h"
