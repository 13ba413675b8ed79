/* Tracks a call, and chooses another way. */
#define PICK api->complete_tracked(0, (void *)picker);
#include "base.h"
