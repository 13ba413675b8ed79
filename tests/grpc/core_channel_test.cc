// A channel destroyed with calls in flight. A C++ channel cannot be: each of its calls keeps it
// alive. So these tests use gRPC's C API, as the other languages do.
#include "support/core_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/policy_fixture.h"

namespace steer_test {
namespace {

// Long enough for the channel to be destroyed while its calls run.
constexpr std::chrono::milliseconds kSlowCall{300};

class CoreChannelDestroyed : public PolicyTest {
 protected:
  // Starts calls, destroys the channel, waits until all calls have ended, and returns how.
  std::vector<grpc_status_code> DestroyWithCallsInFlight(CoreChannel* channel, size_t count) {
    std::vector<std::unique_ptr<CoreCall>> calls;
    for (size_t i = 0; i < count; ++i) calls.push_back(std::make_unique<CoreCall>(*channel));
    channel->Destroy();
    std::vector<grpc_status_code> statuses;
    for (size_t i = 0; i < count; ++i) EXPECT_TRUE(channel->WaitForOne());
    for (const auto& call : calls) statuses.push_back(call->status());
    return statuses;
  }
};
STEER_FOR_EACH_POLICY(CoreChannelDestroyed);

TEST_P(CoreChannelDestroyed, CallsThatWerePickedRunToTheirEnd) {
  Backends backends(3);
  CoreChannel channel(StaticTarget(backends.ports()), ServiceConfig(policy()));
  {
    // Until the channel is READY, calls wait for a pick.
    CoreCall first(channel);
    ASSERT_TRUE(channel.WaitForOne());
    EXPECT_EQ(first.status(), GRPC_STATUS_OK);
  }
  for (size_t i = 0; i < backends.size(); ++i) backends[i].SetDelay(kSlowCall);
  EXPECT_EQ(DestroyWithCallsInFlight(&channel, 60),
            std::vector<grpc_status_code>(60, GRPC_STATUS_OK));
}

TEST_P(CoreChannelDestroyed, CallsThatWaitForAPickFail) {
  MuteListener connecting;
  ReservedPort failing;
  CoreChannel channel(StaticTarget({connecting.port(), failing.port()}), ServiceConfig(policy()));
  // With which code is gRPC's affair.
  EXPECT_THAT(DestroyWithCallsInFlight(&channel, 60), testing::Each(testing::Ne(GRPC_STATUS_OK)));
}

}  // namespace
}  // namespace steer_test
