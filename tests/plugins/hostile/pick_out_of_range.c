/* Chooses a backend beyond the last one. */
#define PICK return steer_complete(99);
#include "base.h"
