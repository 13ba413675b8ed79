/* Wants a header with an invalid name. */
#define PICKER_NEW          \
  wants->headers = &wanted; \
  wants->header_count = 1;

#include <steer/steer.h>

static steer_str wanted = {"Not A Header", 12};
#include "base.h"
