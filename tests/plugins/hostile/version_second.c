/* The second release of a plugin: chooses the last backend. */
#define BLOCK .name = STEER_TEXT_INIT("versions"), .version = STEER_TEXT_INIT("2.0"),
#define TYPE_NAME "versions"
#define PICKER_NEW *picker = (void *)backends;
#define PICK return steer_complete(((const steer_backends *)picker)->count - 1);
#include "base.h"
