/* Fails when it reads its config. */
#define CONFIG_NEW FAULT("the config is beyond me");
#include "base.h"
