/* Says that the call fails, and chooses all the same. */
#define PICK api->fail(14, STEER_TEXT("failed, but never mind"));
#include "base.h"
