/* Fails when a call starts. */
#define PICK return api->complete_tracked(0, NULL);
#define CALL_STARTED api->fault(STEER_TEXT("calls should not start"));
#include "base.h"
