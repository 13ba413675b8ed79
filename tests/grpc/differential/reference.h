// How gRPC's own round_robin, and the subchannels under it, differ from one gRPC to another, as far
// as the differential test can see it. Steer's rules are the same with all of them, so what is true
// here is what the rules of docs/differences.md are about, by the numbers that stand with each
// constant.
//
// Must not know: the rules, Steer.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fake_channel.h"

namespace steer_testing {
namespace reference {

// From 1.62 on, each endpoint is a pick_first child, which makes a subchannel, watches it, and when
// it is READY watches its health. Steer's endpoints are such children there, too.
constexpr bool kPickFirstChildren = STEER_TEST_GENERATION == 3;

// Up to 1.47, a lost connection is TRANSIENT_FAILURE and not IDLE, a connection that failed does
// not become IDLE after its backoff, and policies ask for another attempt while it is in
// TRANSIENT_FAILURE. They learn a state by asking for it, and from then on hear of changes.
constexpr bool kFailedConnectionsWait = STEER_TEST_GENERATION == 1;

// What an IDLE connection that is asked to connect does in every gRPC: it is CONNECTING at once. In
// the middle generation the test has it come later, as an event of its own, because all policies
// have said something by then. In the others round_robin says nothing of a connection before it
// leaves IDLE.
constexpr bool kRequestsStartAtOnce = kPickFirstChildren || kFailedConnectionsWait;

// From 1.53 on (when pickers became reference-counted, too), a pending list with a READY endpoint
// replaces one that has a READY endpoint only when each of its endpoints has reported a state.
constexpr bool kSwapWaitsForAllReports =
    !std::is_same<PickerPtr,
                  std::unique_ptr<grpc_core::LoadBalancingPolicy::SubchannelPicker>>::value;

// D9: round_robin may say nothing at all until it hears of a connection; the channel is CONNECTING
// then.
constexpr bool kMaySayNothingAtFirst = kSwapWaitsForAllReports || kFailedConnectionsWait;

// D12: a pending list replaces the current one only when it has a READY endpoint or has failed
// altogether, even if the current one is of no use.
constexpr bool kKeepsUselessList = STEER_TEST_GENERATION == 1;

// What round_robin says of a failure, in the words of 1.51, which are Steer's.
// D13: from 1.70 on, the resolution note is at the end of each of its messages, in brackets.
inline absl::Status InWordsOf1_51(const absl::Status& status,
                                  const std::vector<std::string>& notes) {
  if (!kPickFirstChildren || status.ok()) return status;
  absl::string_view text = status.message();
  std::string note;
  for (const std::string& candidate : notes) {
    if (candidate.empty() || !absl::ConsumeSuffix(&text, absl::StrCat(" (", candidate, ")")))
      continue;
    note = candidate;
    break;
  }
  // A health check's message, unlike a connection's, may be empty; Steer does not announce an error
  // then.
  absl::ConsumeSuffix(&text, "; last error: ");
  if (text == "empty address list") {
    return absl::Status(status.code(), absl::StrCat("empty address list: ", note));
  }
  return absl::Status(status.code(), text);
}

}  // namespace reference
}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_
