// What every end-to-end test of a policy shares. Each such test runs for gRPC's own round_robin as
// well as for Steer's, with the same expectations: a wrong expectation shows at once.
#ifndef STEER_TESTS_GRPC_SUPPORT_POLICY_FIXTURE_H_
#define STEER_TESTS_GRPC_SUPPORT_POLICY_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/backend.h"
#include "support/client.h"
#include "support/resolver_feed.h"
#include "support/wait.h"

namespace steer_test {

// The parameter is the policy's name.
class PolicyTest : public testing::TestWithParam<const char*> {
 protected:
  std::string policy() const { return GetParam(); }

  // `more` is what else the service config holds and begins with a comma.
  std::shared_ptr<grpc::Channel> Channel(const std::string& target, const std::string& more = "") {
    return MakeChannel(target, ServiceConfig(policy(), "{}", more));
  }
};

inline std::string PolicyTestName(const testing::TestParamInfo<const char*>& info) {
  return info.param;
}

}  // namespace steer_test

#define STEER_FOR_EACH_POLICY(Fixture)                                                             \
  INSTANTIATE_TEST_SUITE_P(Policies, Fixture, testing::Values("steer_round_robin", "round_robin"), \
                           steer_test::PolicyTestName)

#endif  // STEER_TESTS_GRPC_SUPPORT_POLICY_FIXTURE_H_
