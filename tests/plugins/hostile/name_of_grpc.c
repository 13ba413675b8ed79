/* Its picker has the name of one of gRPC's own. */
#define TYPE_NAME "round_robin"
#include "base.h"
