/* Its entry registers its picker and then fails. The engine must not keep the picker. */
#define ENTRY                   \
  api->register_picker(&table); \
  FAULT("the second thought");
#include "base.h"
