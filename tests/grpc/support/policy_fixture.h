// The fixture of end-to-end tests of a policy. Each test runs for gRPC's own round_robin and for
// Steer's, with the same expectations, so that a wrong expectation fails at once.
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

  // `more` is added to the service config and begins with a comma.
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
