// A policy of the tests' own, "late", that asks its channel for everything when it is freed: the
// channel has gone by then, and must refuse.
#ifndef STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_
#define STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_

#include <string>
#include <vector>

namespace steer_test {

// To be called once, before steer::Register().
void RegisterLatePolicy();

// What was granted to policies that had been freed, and how many of them asked.
struct LateGrants {
  int asked = 0;
  std::vector<std::string> granted;
};
LateGrants TakeLateGrants();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_LATE_POLICY_H_
