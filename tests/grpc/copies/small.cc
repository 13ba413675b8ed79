// The smallest library that links Steer.
#include <steer/grpc.h>

extern "C" __attribute__((visibility("default"))) int small_register() {
  return steer::Register().ok() ? 1 : 0;
}
