/* The one that does all as it should. */

#include "base.h"
