/* Makes up a failure. */
#define PICK return (steer_choice){STEER_CHOICE_FAIL, 0xdeadbeef};
#include "base.h"
