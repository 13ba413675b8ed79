/* Wants what there is not. */
#define PICKER_NEW wants->bits = 0x80000000;
#include "base.h"
