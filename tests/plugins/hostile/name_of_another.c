/* Its picker has the name of another plugin's. */
#define TYPE_NAME "good"
#include "base.h"
