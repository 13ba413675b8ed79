// The faults of a server over time, as a flag:
//
//   --faults="0 slow=20;30 hang;60 fail=UNAVAILABLE;90 errors=0.01:INTERNAL;120"
//
// Each phase begins at a time in seconds, and lasts until the next one begins. It names the faults
// of this phase, separated by spaces; without any, the server works.
//
// Must not depend on: gRPC, what a server does with its faults.
#ifndef STEER_GAIN_FAULTS_H
#define STEER_GAIN_FAULTS_H

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gain {

struct Faults {
  // Service times are multiplied by this.
  double slow = 1;
  // Answers nothing. Calls stay.
  bool hang = false;
  // Answers every call at once with this status, unless it is OK.
  absl::StatusCode fail = absl::StatusCode::kOk;
  // Answers this share of the calls with this status, after it has served them.
  double error_share = 0;
  absl::StatusCode error = absl::StatusCode::kOk;
};

struct Phase {
  double begin = 0;
  Faults faults;
};

struct Schedule {
  std::vector<Phase> phases;
};

// Makes Schedule the type of a flag.
bool AbslParseFlag(absl::string_view text, Schedule* schedule, std::string* error);
std::string AbslUnparseFlag(const Schedule& schedule);

}  // namespace gain

#endif  // STEER_GAIN_FAULTS_H
