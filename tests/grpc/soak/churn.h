// Lists that change every few milliseconds, under calls that are shorter and longer than that, for
// every policy that follows its calls: most calls end when their backend is no longer listed, and
// many of them are the last that hold its connection.
//
// No server dies, so that each call must succeed. It is about crashes, hangs and what sanitizers
// report: it measures no time.
//
// Must not know: how a policy follows calls.
#ifndef STEER_TESTS_GRPC_SOAK_CHURN_H_
#define STEER_TESTS_GRPC_SOAK_CHURN_H_

#include <chrono>
#include <string>
#include <vector>

#include "soak/fleet.h"

namespace steer_soak {

// Registers "churn_custom", a policy that follows its calls. Before steer::Register(). False if it
// cannot be registered.
bool RegisterChurned();

// The names of all policies that can be churned. What follows a colon tells those of one policy
// apart: "steer_round_robin:statistics" follows calls for the statistics alone.
std::vector<std::string> ChurnedPolicies();

struct ChurnOptions {
  // For all of them together.
  std::chrono::milliseconds time{60000};
  int threads = 4;
  // Calls of each thread that run at a time.
  int in_flight = 48;
};

// Whether all went well; otherwise says on stdout what did not.
bool Churn(Fleet& fleet, const std::vector<std::string>& policies, const ChurnOptions& options);

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_CHURN_H_
