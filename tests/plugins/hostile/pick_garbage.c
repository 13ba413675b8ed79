/* Returns what is no choice. */
#define PICK return (steer_choice){0x7fffffffffffffff, 0xdeadbeef};
#include "base.h"
