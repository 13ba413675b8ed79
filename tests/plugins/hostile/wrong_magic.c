/* Its block begins with other bytes. */
#define BLOCK .magic = 0x123456789abcdef0,
#include "base.h"
