/* Makes up a tracked call. */
#define PICK return (steer_choice){STEER_CHOICE_TRACKED, 0xdeadbeef};
#include "base.h"
