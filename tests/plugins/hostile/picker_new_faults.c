/* Fails to make a picker. */
#define PICKER_NEW FAULT("out of pickers");
#include "base.h"
