/* Says what it is in bytes that are no UTF-8. */
#define BLOCK .name = STEER_TEXT_INIT("\xff\xfe"),
#include "base.h"
