// main() of the end-to-end tests. Registers Steer and the tests' resolver before the first channel.
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <cstdlib>
#include <iostream>

#include "support/blocking_policy.h"
#include "support/late_policy.h"
#include "support/measuring_picker.h"
#include "support/resolver_feed.h"
#include "support/scripted_picker.h"
#include "support/waking_picker.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // A channel without calls polls its connections this often. gRPC's default is 5 s.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 1);
  steer_test::RegisterBlockingPolicy();
  steer_test::RegisterLatePolicy();
  steer_test::RegisterScriptedPicker();
  steer_test::RegisterMeasuringPicker();
  steer_test::RegisterWakingPicker();
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::cerr << "steer::Register(): " << status.message() << std::endl;
    return 1;
  }
  steer_test::RegisterFeedResolver();
  return RUN_ALL_TESTS();
}
