// A policy that calls all functions of its channel while it is freed.
#include "support/late_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/backend.h"
#include "support/client.h"
#include "support/wait.h"

namespace steer_test {
namespace {

TEST(LatePolicy, IsRefusedEverythingWhenItsChannelHasEnded) {
  TakeLateGrants();
  Backend backend;
  {
    const auto channel = MakeChannel(StaticTarget({backend.port()}), ServiceConfig("late"));
    ASSERT_TRUE(Call(channel).status.ok());
  }
  LateGrants grants;
  EXPECT_TRUE(WaitUntil([&] {
    grants = TakeLateGrants();
    return grants.asked != 0;
  }));
  EXPECT_EQ(grants.asked, 1);
  EXPECT_THAT(grants.granted, testing::IsEmpty());
}

}  // namespace
}  // namespace steer_test
