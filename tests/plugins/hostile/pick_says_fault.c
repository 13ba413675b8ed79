/* Reports a fault, and chooses a backend anyway. */
#define PICK api->fault(STEER_TEXT("broken, but never mind"));
#include "base.h"
