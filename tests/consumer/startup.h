// The application's start-up code. Must not depend on: gRPC.
#ifndef CONSUMER_STARTUP_H_
#define CONSUMER_STARTUP_H_

namespace consumer {

// Registers Steer's policies with gRPC. On failure, prints why and exits.
void Start();

}  // namespace consumer

#endif  // CONSUMER_STARTUP_H_
