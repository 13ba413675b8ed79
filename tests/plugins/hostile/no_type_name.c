/* Its picker has no name. */
#define TYPE_NAME ""
#include "base.h"
