/* Says that it uses more of the engine than its ABI version has. */
#define BLOCK .api_size = sizeof(struct steer_api) + 8,
#include "base.h"
