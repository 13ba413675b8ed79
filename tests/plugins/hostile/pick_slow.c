/* Picks slowly. */
#define PICK                                    \
  for (volatile int i = 0; i < 50000000; ++i) { \
  }
#include "base.h"
