// main() of the tests with a control plane. Registers Steer before the first channel.
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <cstdlib>
#include <iostream>

#include "support/generation.h"
#include "support/scripted_picker.h"
#include "xds/control_plane.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // A channel without calls polls its connections this often. gRPC's default is 5 s.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 1);
  steer_test::SetXdsBootstrap();
  // Register() would refuse it. The tests that need it are skipped.
  if (!steer_test::NamesCanBeTakenOver()) unsetenv("STEER_TAKE_OVER");
  steer_test::RegisterScriptedPicker();
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::cerr << "steer::Register(): " << status.message() << std::endl;
    return 1;
  }
  return RUN_ALL_TESTS();
}
