/* Wants headers, and its array is NULL. */
#define PICKER_NEW wants->header_count = 3;
#include "base.h"
