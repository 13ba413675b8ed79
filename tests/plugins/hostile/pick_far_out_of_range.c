/* Chooses a backend beyond all memory. */
#define PICK return steer_complete(UINT64_MAX);
#include "base.h"
