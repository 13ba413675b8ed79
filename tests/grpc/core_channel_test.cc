// A channel that is destroyed with calls in flight. In C++ each call keeps its channel alive, so
// these tests use gRPC's C API, as other languages do.
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
  // Starts calls, destroys the channel, waits for the end of all calls, and returns their statuses.
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

TEST_P(CoreChannelDestroyed, PickedCallsRunToTheirEnd) {
  Backends backends(3);
  CoreChannel channel(StaticTarget(backends.ports()), ServiceConfig(policy()));
  {
    // The first call waits until the channel is READY. Later calls are picked at once.
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
  // The code is gRPC's choice.
  EXPECT_THAT(DestroyWithCallsInFlight(&channel, 60), testing::Each(testing::Ne(GRPC_STATUS_OK)));
}

}  // namespace
}  // namespace steer_test
