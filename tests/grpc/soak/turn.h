// One soak at a time on this machine. Two at once would withhold the CPUs from each other: both run
// before all other programs, so neither could tell the other one's work from a fault of Steer.
//
// Must not depend on: gRPC, servers, tests.
#ifndef STEER_TESTS_GRPC_SOAK_TURN_H_
#define STEER_TESTS_GRPC_SOAK_TURN_H_

namespace steer_soak {

// Waits until no other process of this machine is in its turn. The turn lasts as long as the
// object, and ends with the process in any case. Processes in other chroots take part. If the
// kernel grants no socket for it, the turn begins at once.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int socket_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_TURN_H_
