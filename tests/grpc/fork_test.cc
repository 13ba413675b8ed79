// A process that forks: its children's calls succeed, their random picks differ, and no lock of the
// engine is held in them. This program itself has neither Steer nor gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/backend.h"
#include "support/process.h"

namespace steer_test {
namespace {

constexpr int kChildren = 4;

struct Policy {
  std::string name;
  std::string config;
  // Each pick takes a random number.
  bool is_random;
};

void PrintTo(const Policy& policy, std::ostream* to) { *to << policy.name; }

class Fork : public testing::TestWithParam<Policy> {};

TEST_P(Fork, ChildrenPickIndependently) {
  const Policy& policy = GetParam();
  Backends backends(3);
  const std::string service_config =
      R"({"loadBalancingConfig":[{")" + policy.name + R"(":)" + policy.config + "}]}";
  const ProgramResult result = RunProgram(
      {STEER_TEST_FORKING_CLIENT, std::to_string(kChildren), StaticTarget(backends.ports()),
       service_config},
      {"GRPC_ENABLE_FORK_SUPPORT=1", "GRPC_POLL_STRATEGY=epoll1"}, std::chrono::seconds(250));
  std::cout << result.output;
  EXPECT_EQ(result.exit_code, 0);
  std::vector<std::string> ports;
  std::istringstream output(result.output);
  for (std::string line; std::getline(output, line);) {
    for (const char* who : {"parent=", "child="}) {
      if (line.rfind(who, 0) == 0) ports.push_back(line.substr(std::string(who).size()));
    }
  }
  EXPECT_EQ(ports.size(), kChildren + 1u);
  // With 24 random choices among three, no two processes make the same ones.
  const std::set<std::string> different(ports.begin(), ports.end());
  if (policy.is_random) {
    EXPECT_EQ(different.size(), ports.size());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Fork,
    testing::Values(Policy{"steer_round_robin", "{}", false}, Policy{"steer_random", "{}", true},
                    Policy{"steer_least_request", "{}", true},
                    Policy{"steer_peak_ewma", "{}", false}, Policy{"steer_prequal", "{}", false},
                    Policy{"steer_weighted_round_robin", "{}", false},
                    Policy{"steer_ring_hash", R"({"requestHashHeader":"user"})", true},
                    Policy{"steer_maglev", R"({"requestHashHeader":"user"})", true}),
    [](const auto& policy) { return policy.param.name; });

}  // namespace
}  // namespace steer_test
