/* Reads a header that it has not declared. */
#define PICKER_NEW wants->bits = STEER_WANTS_HEADERS;
#define PICK       \
  steer_str value; \
  if (steer_call_header(call, STEER_TEXT("x"), &value)) return api->fault(value);
#include "base.h"
