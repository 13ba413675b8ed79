/* Fails when it reads its config, and does not say why. */
#define CONFIG_NEW return 1;
#include "base.h"
