/* Returns what is no choice. */
#define PICK return (steer_choice){-1, 0};
#include "base.h"
