/* Fails calls with OK. */
#define PICK return api->fail(0, STEER_TEXT("all is well"));
#include "base.h"
