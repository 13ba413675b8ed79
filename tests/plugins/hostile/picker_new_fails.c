/* Fails to make a picker, without a reason. */
#define PICKER_NEW return 1;
#include "base.h"
