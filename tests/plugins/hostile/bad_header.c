/* Wants a header that no call can have. */
#define PICKER_NEW          \
  wants->headers = &wanted; \
  wants->header_count = 1;

#include <steer/steer.h>

static steer_str wanted = {"Not A Header", 12};
#include "base.h"
