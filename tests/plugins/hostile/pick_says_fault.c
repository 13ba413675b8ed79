/* Says that it is broken, and chooses all the same. */
#define PICK api->fault(STEER_TEXT("broken, but never mind"));
#include "base.h"
