/* Returns a choice of a kind that does not exist. */
#define PICK return (steer_choice){0x7fffffffffffffff, 0xdeadbeef};
#include "base.h"
