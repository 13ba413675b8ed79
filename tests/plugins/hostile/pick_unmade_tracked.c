/* Makes up a tracked call by itself. */
#define PICK return (steer_choice){STEER_CHOICE_TRACKED, 0xdeadbeef};
#include "base.h"
