/* Fails for each backend. */
#define BACKEND_NEW FAULT("no backend is good enough");
#include "base.h"
