/* Fails calls with a status that no data plane may produce. */
#define PICK return api->fail(5, STEER_TEXT("no such backend"));
#include "base.h"
