// Registers Steer, in a static library of the application. The linker must include it in every
// order on the link line.
#include "startup.h"

#include <steer/grpc.h>

#include <cstdlib>
#include <iostream>

namespace consumer {

void Start() {
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::cerr << "steer::Register: " << status.message() << "\n";
    std::exit(1);
  }
}

}  // namespace consumer
