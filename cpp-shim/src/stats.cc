// The statistics functions of steer/grpc.h: the engine's, with C++ strings.
//
// Must not depend on: gRPC, what the numbers mean.
#include <string>

#include "steer/grpc.h"
#include "steer/steer.h"
#include "steer/text.hpp"

namespace steer {
namespace {

// Empty: the engine returned an error, which is not expected.
std::string TextOf(steer_status (*make)(steer_string**)) {
  steer_string* text = nullptr;
  return make(&text) == STEER_OK ? TakeString(text) : std::string();
}

}  // namespace

std::string StatsJson() { return TextOf(&steer_stats_json); }

std::string StatsPrometheus() { return TextOf(&steer_stats_prometheus); }

void TrackCalls(bool on) { steer_stats_track_calls(on ? 1 : 0); }

}  // namespace steer
