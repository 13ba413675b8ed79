/* Its table lacks what it must have. */
#define TABLE .pick = NULL,
#include "base.h"
