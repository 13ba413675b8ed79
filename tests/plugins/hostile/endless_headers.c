/* Wants more headers than its array has. */
#define PICKER_NEW                   \
  wants->bits = STEER_WANTS_HEADERS; \
  wants->headers = &wanted;          \
  wants->header_count = SIZE_MAX;

#include <steer/steer.h>

static steer_str wanted = {"x", 1};
#include "base.h"
