/* Its entry registers its picker and fails then: nothing of it may stay. */
#define ENTRY                   \
  api->register_picker(&table); \
  FAULT("the second thought");
#include "base.h"
