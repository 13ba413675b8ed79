/* Fails calls with what is no status. */
#define PICK return api->fail(12345, STEER_TEXT("nothing"));
#include "base.h"
