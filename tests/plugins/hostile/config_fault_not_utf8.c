/* The text of its config fault is not UTF-8. */
#define CONFIG_NEW api->config_fault(faults, STEER_TEXT("\xff"), STEER_TEXT("\xfe"));
#include "base.h"
