/* Its picker's name is not UTF-8. */
#define TYPE_NAME "\xff\xfe"
#include "base.h"
