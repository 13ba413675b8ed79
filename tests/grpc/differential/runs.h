// Runs whole sequences of events, and shrinks one that shows a difference.
//
// Must not depend on: what differs, how it is compared.
#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_RUNS_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_RUNS_H_

#include <string>
#include <vector>

#include "model.h"
#include "sequence.h"

namespace steer_testing {

// The events up to the first difference. `what` is empty if there is none.
struct Difference {
  std::vector<Event> events;
  std::string what;
  std::string reference;
  std::string policy;
};

// Runs given events.
Difference RunEvents(const Setup& setup, const std::vector<Event>& events, Coverage* coverage);
// Runs the events that the setup's seed makes.
Difference RunSeed(Setup setup, int max_events, Coverage* coverage);
// Removes the events, and the parts of events, that the difference does not need.
Difference Shrink(const Setup& setup, const Difference& difference);

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_RUNS_H_
