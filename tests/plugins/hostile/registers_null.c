/* Registers what is not there. */
#define ENTRY return api->register_picker(NULL);
#include "base.h"
