/* Wants headers that are not there. */
#define PICKER_NEW wants->header_count = 3;
#include "base.h"
