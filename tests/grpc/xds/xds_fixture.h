// The fixture of the tests with a control plane. They are skipped where gRPC has no xDS, or none
// with custom policies, and where the control plane cannot run.
#ifndef STEER_TESTS_GRPC_XDS_XDS_FIXTURE_H_
#define STEER_TESTS_GRPC_XDS_XDS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "support/backend.h"
#include "support/client.h"
#include "support/wait.h"
#include "xds/control_plane.h"

namespace steer_test {

class XdsTest : public testing::Test {
 protected:
  // Skips the test if it cannot run here.
  void SetUp() override;

  ControlPlane plane_;
};

// A channel to a service.
std::shared_ptr<grpc::Channel> XdsChannel(const std::string& service = "greeter");

// One call, of this user.
CallResult CallOf(const std::shared_ptr<grpc::Channel>& channel, int user);

// The ports that answer `calls` calls, each of another user. 0: a call failed.
Counts CountUsers(const std::shared_ptr<grpc::Channel>& channel, int calls);

// Waits until each of these ports has answered, and meanwhile no other one.
bool WaitForPorts(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports);

// Waits until these ports share 400 calls in about these proportions.
bool WaitForShares(const std::shared_ptr<grpc::Channel>& channel,
                   const std::map<int, double>& shares);

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_XDS_XDS_FIXTURE_H_
