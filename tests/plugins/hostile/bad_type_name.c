/* Its picker has a name that is not allowed in configs. */
#define TYPE_NAME "Bad-Name"
#include "base.h"
