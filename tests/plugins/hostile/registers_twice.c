/* Registers two pickers of one name. */
#define ENTRY api->register_picker(&table);
#include "base.h"
