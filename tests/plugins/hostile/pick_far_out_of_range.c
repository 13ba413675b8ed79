/* Chooses the largest index. */
#define PICK return steer_complete(UINT64_MAX);
#include "base.h"
