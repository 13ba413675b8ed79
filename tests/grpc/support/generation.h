// What the end-to-end tests expect where gRPC versions differ, or where the messages of gRPC's own
// round_robin differ from Steer's. Uses gRPC's public API only.
#ifndef STEER_TESTS_GRPC_SUPPORT_GENERATION_H_
#define STEER_TESTS_GRPC_SUPPORT_GENERATION_H_

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <string>

namespace steer_test {

// For example 51 for 1.51.1.
inline int MinorVersion() { return std::atoi(grpc::Version().c_str() + sizeof("1.") - 1); }

// The message of calls when all connections fail. Up to 1.47, subchannels do not report why.
inline std::string AllFailing() {
  const std::string text = "connections to all backends failing";
  return MinorVersion() < 48 ? text : text + "; last error: ";
}

// How the message about a service config's error begins, with the path of its field. Up to 1.48,
// errors are trees.
inline std::string FaultOf(const std::string& field) {
  return "field:" + field + (MinorVersion() < 49 ? "" : " error:");
}

// The largest difference between two backends' shares of a channel's calls, if this many threads
// pick. Steer's threads may rotate independently (docs/differences.md, D8). Up to 1.53 that does
// not show, because picks hold the channel's lock.
inline int UnevenBy(const std::string& policy, size_t threads) {
  return policy == "round_robin" || MinorVersion() < 54 ? 0 : static_cast<int>(threads);
}

// Whether there is the policy that ejects backends whose calls fail. It came with 1.47.
inline bool HasOutlierDetection() { return MinorVersion() >= 47; }

// Whether a resolver gets the policy's verdict on its result. Up to 1.49, policies return nothing.
inline bool ResolversGetAVerdict() { return MinorVersion() >= 50; }

// Whether the names of gRPC's own policies can be taken over.
inline bool NamesCanBeTakenOver() { return MinorVersion() >= 50; }

// From 1.70 on, policies add the resolution note to every message, in brackets.
inline bool NotesAreInBrackets() { return MinorVersion() >= 70; }

// Whether policies get these attributes of an address: see docs/grpc-versions.md.
inline bool AddressesHaveLocality() { return MinorVersion() >= 57; }
inline bool AddressesHaveHashKey() { return MinorVersion() >= 70; }

// Whether there are out-of-band reports.
inline bool LoadReportsComeOutOfBand() { return MinorVersion() >= 47; }

// Whether out-of-band reports have calls per second. gRPC itself reads these reports.
inline bool LoadReportsHaveQps() { return MinorVersion() >= 53; }

// The message of calls after an empty address list.
inline std::string EmptyListMessage(const std::string& note) {
  return NotesAreInBrackets() ? "empty address list (" + note + ")" : "empty address list: " + note;
}

// The policy's verdict on an empty address list.
inline std::string EmptyListVerdict(const std::string& note) {
  if (!ResolversGetAVerdict()) return "";
  return NotesAreInBrackets() ? "empty address list" : "empty address list: " + note;
}

// The policy's verdict on an error instead of an address list, while a list is in use.
inline grpc::Status ErrorVerdict(const grpc::Status& error) {
  return ResolversGetAVerdict() ? error : grpc::Status();
}

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_GENERATION_H_
