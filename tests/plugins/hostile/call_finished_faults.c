/* Fails when a call ends. */
#define PICK return api->complete_tracked(0, NULL);
#define CALL_FINISHED api->fault(STEER_TEXT("calls should not end"));
#include "base.h"
