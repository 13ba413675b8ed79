/* Its picker has the name of another plugin's picker. */
#define TYPE_NAME "good"
#include "base.h"
