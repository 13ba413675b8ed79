/* Makes up a failure by itself. */
#define PICK return (steer_choice){STEER_CHOICE_FAIL, 0xdeadbeef};
#include "base.h"
