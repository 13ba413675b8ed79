/* Fails calls with a status that a data plane must not produce. */
#define PICK return api->fail(5, STEER_TEXT("no such backend"));
#include "base.h"
