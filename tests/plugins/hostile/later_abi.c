/* Compiled for a later ABI than the engine has. */
#define BLOCK .abi_version = STEER_ABI_VERSION + 1,
#include "base.h"
