/* Makes up a drop by itself. */
#define PICK return (steer_choice){STEER_CHOICE_DROP, 0xdeadbeef};
#include "base.h"
