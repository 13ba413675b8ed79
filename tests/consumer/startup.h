// What the application does first. Must not know gRPC.
#ifndef CONSUMER_STARTUP_H_
#define CONSUMER_STARTUP_H_

namespace consumer {

// Makes Steer's policies known to gRPC, or ends the program with the reason.
void Start();

}  // namespace consumer

#endif  // CONSUMER_STARTUP_H_
