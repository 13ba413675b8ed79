// Picks: what a picker returns, the headers that it adds, and the tracker of a call.
//
// Differs between gRPC versions:
//   a picker's pointer   up to 1.51 a unique_ptr; from 1.53 on a RefCountedPtr
//   an added header      up to 1.65 added to the call's metadata at once, and twice if gRPC picks
//                        twice because the connection was lost meanwhile; from 1.66 on part of the
//                        result, and it replaces a header of that name
//   a call's start       up to 1.76 gRPC reports it; from 1.78 on it does not
//   picking over a connection   up to 1.59 completes with the subchannel; from 1.60 on asks the
//                        child's picker
//
// Must not depend on: the engine, any particular policy.
#ifndef STEER_SHIM_GENERATION_PICKS_H
#define STEER_SHIM_GENERATION_PICKS_H

#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base.h"

namespace steer::shim {

// What UpdateState takes.
template <typename Ptr>
Ptr LastParameter(void (GrpcHelper::*)(grpc_connectivity_state, const absl::Status&, Ptr));
using PickerPtr = decltype(LastParameter(&GrpcHelper::UpdateState));

// A pick's result if it sends the call, otherwise null. gRPC's variants are absl's or std's; the
// using-declaration adds std's function to the one that the argument's namespace gives.
inline PickResult::Complete* CompleteOf(PickResult* result) {
  using std::get_if;
  return get_if<PickResult::Complete>(&result->result);
}

// Adds a header to a call. The caller guarantees that both texts live as long as the call; the shim
// passes texts that host::PickedCall has copied into the call's memory.
template <typename Metadata>
auto AddHeader(Metadata* metadata, PickResult::Complete*, absl::string_view name,
               absl::string_view value, Preferred) -> decltype(metadata->Add(name, value)) {
  metadata->Add(name, value);
}
// From 1.66 on.
template <typename Complete>
void AddHeader(GrpcPolicy::MetadataInterface*, Complete* complete, absl::string_view name,
               absl::string_view value, Fallback) {
  complete->metadata_mutations.Set(name, value);
}

// Whether gRPC reports the start of a call to its tracker.
template <typename Tracker, typename = void>
constexpr bool kReportsStart = false;
template <typename Tracker>
constexpr bool kReportsStart<Tracker, decltype(&Tracker::Start, void())> = true;

// Picks over a connection. Inline, because one more call costs a tenth of a pick.
inline PickResult PickOver(GrpcPicker* picker, const GrpcPolicy::PickArgs& args) {
  return picker->Pick(args);
}
inline PickResult PickOver(Subchannel* subchannel, const GrpcPolicy::PickArgs&) {
  return PickResult::Complete(subchannel->Ref());
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_PICKS_H
