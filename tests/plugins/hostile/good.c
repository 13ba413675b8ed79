/* The plugin without a mistake. */

#include "base.h"
