/* Fails for each call. */
#define PICK return api->fault(STEER_TEXT("no call is good enough"));
#include "base.h"
