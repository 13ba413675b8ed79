/* Its table lacks what it must have. */
#define TABLE .picker_new = NULL,
#include "base.h"
