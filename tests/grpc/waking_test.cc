// A custom picker that is woken by the end of a call and by threads of the application, and that
// sees all backends of its channel, on real channels.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "support/backend.h"
#include "support/client.h"
#include "support/wait.h"
#include "support/waking_picker.h"

namespace steer_test {
namespace {

TEST(WakingPicker, IsWokenByTheEndOfACall) {
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), ServiceConfig("waking"));
  ASSERT_TRUE(Call(channel).status.ok());
  const auto waking = LatestWaking();
  EXPECT_TRUE(WaitUntil([&] { return waking->wakes >= 1; }));
  const int before = waking->wakes;
  ASSERT_TRUE(Call(channel).status.ok());
  EXPECT_TRUE(WaitUntil([&] { return waking->wakes > before; }));
}

TEST(WakingPicker, IsWokenByThreadsOfTheApplication) {
  Backend backend;
  std::shared_ptr<Waking> waking;
  {
    const auto channel = MakeChannel(StaticTarget({backend.port()}), ServiceConfig("waking"));
    ASSERT_TRUE(Call(channel).status.ok());
    waking = LatestWaking();
    const int wakes = waking->wakes;
    const int pickers = waking->pickers;
    std::thread([&] {
      EXPECT_TRUE(waking->channel.Wake());
      waking->channel.Rebuild();
      EXPECT_NE(waking->channel.StartTimer(std::chrono::milliseconds(1)), 0U);
      waking->channel.CancelTimer(waking->channel.StartTimer(std::chrono::hours(1)));
    }).join();
    EXPECT_TRUE(WaitUntil(
        [&] { return waking->wakes > wakes && waking->pickers > pickers && waking->timers == 1; }));
    // Many threads, while calls run.
    Load load(channel, 2);
    std::thread threads[4];
    for (std::thread& thread : threads) {
      thread = std::thread([&] {
        for (int i = 0; i < 1000; ++i)
          i % 2 == 0 ? waking->channel.Rebuild() : (void)waking->channel.Wake();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(load.WaitForCalls(10));
    load.Stop();
    EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
  }
  // After the channel's end.
  EXPECT_TRUE(WaitUntil([&] { return !waking->channel.Wake(); }));
  waking->channel.Rebuild();
  EXPECT_EQ(waking->channel.StartTimer(std::chrono::milliseconds(1)), 0U);
}

TEST(WakingPicker, SeesAllBackends) {
  Backend backend;
  const ReservedPort nobody;
  const auto channel =
      MakeChannel(StaticTarget({backend.port(), nobody.port()}), ServiceConfig("waking"));
  ASSERT_TRUE(Call(channel).status.ok());
  const auto waking = LatestWaking();
  EXPECT_EQ(waking->all, 2U);
  EXPECT_EQ(waking->ready, 1U);
}

}  // namespace
}  // namespace steer_test
