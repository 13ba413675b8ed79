/* Says that it uses more functions of the engine than its ABI version has. */
#define BLOCK .api_size = sizeof(struct steer_api) + 8,
#include "base.h"
