/* Compiled for an ABI that this engine does not know. */
#define BLOCK .abi_version = STEER_ABI_VERSION + 1,
#include "base.h"
