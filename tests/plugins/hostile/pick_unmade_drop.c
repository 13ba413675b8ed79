/* Makes up a drop. */
#define PICK return (steer_choice){STEER_CHOICE_DROP, 0xdeadbeef};
#include "base.h"
