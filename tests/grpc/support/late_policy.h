// A custom policy for tests, "late". It calls all functions of its channel while it is freed. The
// channel has ended by then, and must refuse.
#ifndef STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_
#define STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_

#include <string>
#include <vector>

namespace steer_test {

// Call it once, before steer::Register().
void RegisterLatePolicy();

// How many freed policies asked, and what the channel did not refuse.
struct LateGrants {
  int asked = 0;
  std::vector<std::string> granted;
};
LateGrants TakeLateGrants();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_
