/* Makes a failure, and chooses a backend anyway. */
#define PICK api->fail(14, STEER_TEXT("failed, but never mind"));
#include "base.h"
