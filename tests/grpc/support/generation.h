// What the end-to-end tests expect where that differs from one gRPC to another, by gRPC's public
// API only: of gRPC itself, and of its own round_robin, which says some things otherwise than
// Steer.
#ifndef STEER_TESTS_GRPC_SUPPORT_GENERATION_H_
#define STEER_TESTS_GRPC_SUPPORT_GENERATION_H_

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <string>

namespace steer_test {

// The 51 of 1.51.1.
inline int MinorVersion() { return std::atoi(grpc::Version().c_str() + sizeof("1.") - 1); }

// How a call fails when all connections do. Up to 1.47, subchannels do not say why they failed.
inline std::string AllFailing() {
  const std::string text = "connections to all backends failing";
  return MinorVersion() < 48 ? text : text + "; last error: ";
}

// How a fault in a service config is introduced by the path of its field. Up to 1.48, errors are
// trees.
inline std::string FaultOf(const std::string& field) {
  return "field:" + field + (MinorVersion() < 49 ? "" : " error:");
}

// By how much a backend's share of a channel's calls may miss the others', with so many threads
// that may pick. Steer's threads rotate each on its own (docs/differences.md, D8): nothing is seen
// of that where each thread picks for its own calls, as it does up to 1.53, under the channel's
// lock.
inline int UnevenBy(const std::string& policy, size_t threads) {
  return policy == "round_robin" || MinorVersion() < 54 ? 0 : static_cast<int>(threads);
}

// The policy that takes backends away which fail calls; it came with 1.47.
inline bool HasOutlierDetection() { return MinorVersion() >= 47; }

// Whether a resolver is told what the policy thinks of its result. Up to 1.49, policies return
// nothing.
inline bool ResolversGetAVerdict() { return MinorVersion() >= 50; }

// From 1.70 on, round_robin puts the resolution note behind every message, in brackets.
inline bool NotesAreInBrackets(const std::string& policy) {
  return policy == "round_robin" && MinorVersion() >= 70;
}

// Whether what an address has of these reaches a policy: see docs/grpc-versions.md.
inline bool AddressesHaveLocality() { return MinorVersion() >= 57; }
inline bool AddressesHaveHashKey() { return MinorVersion() >= 70; }

// Whether a policy is told calls per second out of band. gRPC reads these reports itself.
inline bool LoadReportsHaveQps() { return MinorVersion() >= 53; }

// What calls fail with after an empty address list.
inline std::string EmptyListMessage(const std::string& policy, const std::string& note) {
  return NotesAreInBrackets(policy) ? "empty address list (" + note + ")"
                                    : "empty address list: " + note;
}

// What the resolver is told of an empty address list.
inline std::string EmptyListVerdict(const std::string& policy, const std::string& note) {
  if (!ResolversGetAVerdict()) return "";
  return NotesAreInBrackets(policy) ? "empty address list" : "empty address list: " + note;
}

// What the resolver is told of an error in place of an address list, when there is a list in use.
inline grpc::Status ErrorVerdict(const grpc::Status& error) {
  return ResolversGetAVerdict() ? error : grpc::Status();
}

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_GENERATION_H_
