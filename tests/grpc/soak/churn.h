// Lists that change every few milliseconds, while calls are shorter or longer than that, for every
// policy that tracks its calls. Most calls end after their backend has left the list, and many of
// them hold the last reference to its connection.
//
// No server dies, so each call must succeed. The mode looks for crashes, hangs and reports of
// sanitizers. It measures no time.
//
// Must not depend on: how a policy tracks calls.
#ifndef STEER_TESTS_GRPC_SOAK_CHURN_H_
#define STEER_TESTS_GRPC_SOAK_CHURN_H_

#include <chrono>
#include <string>
#include <vector>

#include "soak/fleet.h"

namespace steer_soak {

// Registers "churn_custom", a custom policy that tracks its calls. Call it before
// steer::Register(). False: it cannot be registered.
bool RegisterChurned();

// The names of all policies that can be churned. A suffix after a colon tells variants apart:
// "steer_round_robin:statistics" tracks calls for the statistics only.
std::vector<std::string> ChurnedPolicies();

struct ChurnOptions {
  // For all policies together.
  std::chrono::milliseconds time{60000};
  int threads = 4;
  // Running calls of each thread.
  int in_flight = 48;
};

// Returns whether all calls succeeded. Prints the faults.
bool Churn(Fleet& fleet, const std::vector<std::string>& policies, const ChurnOptions& options);

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_CHURN_H_
