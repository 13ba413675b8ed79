/* Fails when it is to make a picker, and does not say why. */
#define PICKER_NEW return 1;
#include "base.h"
