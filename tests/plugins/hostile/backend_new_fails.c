/* Fails for each backend, and does not say why. */
#define BACKEND_NEW return 1;
#include "base.h"
