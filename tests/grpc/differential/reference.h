// How gRPC's own round_robin, and the subchannels under it, differ between gRPC versions, as far as
// the differential test can see it. Steer's rules are the same in all of them, so these constants
// are the reasons for the rules of docs/differences.md whose numbers they name.
//
// Must not depend on: the rules, Steer.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_

#include <memory>
#include <type_traits>

#include "fake_channel.h"

namespace steer_testing {
namespace reference {

// From 1.62 on, each endpoint is a pick_first child. The child makes a subchannel, watches it, and
// watches its health when it is READY. Steer's endpoints are such children there, too.
constexpr bool kPickFirstChildren = STEER_TEST_GENERATION == 3;

// Up to 1.47, a lost connection is TRANSIENT_FAILURE instead of IDLE, and a failed connection does
// not become IDLE after its backoff: policies request another attempt in TRANSIENT_FAILURE. They
// ask for a state, and get reports of later changes.
constexpr bool kFailedConnectionsWait = STEER_TEST_GENERATION == 1;

// Whether an IDLE connection is CONNECTING at once when it is requested. In gRPC it always is. For
// the middle generation the test makes it a separate, later event, because all policies have
// reported something by then. In the other generations round_robin reports nothing before a
// connection leaves IDLE.
constexpr bool kRequestsStartAtOnce = kPickFirstChildren || kFailedConnectionsWait;

// From 1.53 on, a pending list with a READY endpoint replaces a list with a READY endpoint only
// when each of its endpoints has reported a state. Pickers became reference-counted in that
// version, too, which tells it apart.
constexpr bool kSwapWaitsForAllReports =
    !std::is_same<PickerPtr,
                  std::unique_ptr<grpc_core::LoadBalancingPolicy::SubchannelPicker>>::value;

// D9: round_robin may report nothing until the first report of a connection. The channel is
// CONNECTING until then.
constexpr bool kMaySayNothingAtFirst = kSwapWaitsForAllReports || kFailedConnectionsWait;

// D12: a pending list replaces the current one only when it has a READY endpoint or all of it has
// failed, even if the current list is useless.
constexpr bool kKeepsUselessList = STEER_TEST_GENERATION == 1;

// D17: a new list's subchannels are made from a random place of the list on.
constexpr bool kBeginsAtRandom = kPickFirstChildren;

}  // namespace reference
}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_REFERENCE_H_
