/* Its picker has a name that configs cannot have. */
#define TYPE_NAME "Bad-Name"
#include "base.h"
