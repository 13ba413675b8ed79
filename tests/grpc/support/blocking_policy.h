// A custom policy in C++ with a child, registered as the policy "blocking": drops calls with the
// header "x-block", and counts how the others end.
#ifndef STEER_TESTS_GRPC_SUPPORT_BLOCKING_POLICY_H_
#define STEER_TESTS_GRPC_SUPPORT_BLOCKING_POLICY_H_

namespace steer_test {

// Call it once, before steer::Register().
void RegisterBlockingPolicy();

// The calls of all channels that have ended since the last call of this.
struct BlockingEnds {
  int ok = 0;
  int failed = 0;
  int abandoned = 0;
};
BlockingEnds TakeBlockingEnds();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_BLOCKING_POLICY_H_
