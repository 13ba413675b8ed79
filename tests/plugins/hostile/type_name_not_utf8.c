/* Its picker has a name that is no UTF-8. */
#define TYPE_NAME "\xff\xfe"
#include "base.h"
