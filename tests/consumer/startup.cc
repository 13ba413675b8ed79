// Steer's registration, from a static library of the application: it must reach the executable
// whatever the order on the link line is.
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
