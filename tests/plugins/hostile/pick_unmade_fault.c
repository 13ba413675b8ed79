/* Makes up a fault. */
#define PICK return (steer_choice){STEER_CHOICE_FAULT, 0xdeadbeef};
#include "base.h"
