/* Its table lacks all that it must have. */
#define TABLE .picker_new = NULL, .pick = NULL,
#include "base.h"
