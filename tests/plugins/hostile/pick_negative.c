/* Returns a choice of a negative kind. */
#define PICK return (steer_choice){-1, 0};
#include "base.h"
