/* Fails when it reads its config, without a reason. */
#define CONFIG_NEW return 1;
#include "base.h"
