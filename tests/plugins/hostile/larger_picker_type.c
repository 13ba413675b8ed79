/* Its picker table is larger than that of its ABI version. */
#define BLOCK .picker_type_size = sizeof(struct steer_picker_type) + 8,
#include "base.h"
