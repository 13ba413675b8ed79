/* Fails calls with a code that does not exist. */
#define PICK return api->fail(12345, STEER_TEXT("nothing"));
#include "base.h"
