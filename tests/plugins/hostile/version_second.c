/* The second release of a plugin: it takes the second backend. */
#define BLOCK .name = STEER_TEXT_INIT("versions"), .version = STEER_TEXT_INIT("2.0"),
#define TYPE_NAME "versions"
#define PICK return steer_complete(1);
#include "base.h"
