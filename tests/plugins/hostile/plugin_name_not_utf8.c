/* Its name is not UTF-8. */
#define BLOCK .name = STEER_TEXT_INIT("\xff\xfe"),
#include "base.h"
