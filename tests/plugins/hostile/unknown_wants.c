/* Wants a bit that does not exist. */
#define PICKER_NEW wants->bits = 0x80000000;
#include "base.h"
