/* Its picker has the name of a policy of gRPC. */
#define TYPE_NAME "round_robin"
#include "base.h"
