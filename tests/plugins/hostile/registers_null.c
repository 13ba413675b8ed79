/* Registers NULL. */
#define ENTRY return api->register_picker(NULL);
#include "base.h"
