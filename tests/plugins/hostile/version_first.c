/* The first release of a plugin: chooses the first backend. */
#define BLOCK .name = STEER_TEXT_INIT("versions"), .version = STEER_TEXT_INIT("1.0"),
#define TYPE_NAME "versions"
#define PICK return steer_complete(0);
#include "base.h"
