/* Fails for each backend, without a reason. */
#define BACKEND_NEW return 1;
#include "base.h"
