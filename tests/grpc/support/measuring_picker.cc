// The picker: a counter and a gauge for each backend or channel, a histogram, and a counter of the
// plugin.
#include "support/measuring_picker.h"

#include <chrono>
#include <cstdlib>
#include <steer/steer.hpp>
#include <string>

namespace steer_test {
namespace {

// How many channels have used the picker, from one release of the plugin to the next.
steer::Counter& Channels() {
  static auto* const channels = new steer::Counter;
  return *channels;
}

struct State {
  steer::Channel channel;
  steer::Gauge in_flight;
  steer::Histogram seconds;
};

// The ends of a backend's calls.
struct Ends {
  steer::Counter ok;
  steer::Counter failed;
};

int32_t Entry(const steer_api* api) {
  std::string error;
  Channels() = steer::PluginMetrics(api).NewCounter({"measuring_channels", "Channels so far", {}},
                                                    {}, &error);
  if (!error.empty()) return 1;
  return steer::Picker("measuring")
      .ChannelState([](steer::Channel channel) {
        Channels().Add();
        return State{channel, channel.NewGauge({"in_flight_now", "Calls in flight", {}}),
                     channel.NewHistogram({"call_seconds", "How long calls took", {}, {0.1, 1}})};
      })
      .BackendData([](State& state, const steer::Backend& backend) {
        const steer::Metric ends{"ends", "Ends of calls", {"backend", "outcome"}};
        return Ends{state.channel.NewCounter(ends, {backend.address(), "ok"}),
                    state.channel.NewCounter(ends, {backend.address(), "failed"})};
      })
      .Register(api, [](auto& build) {
        return [state = &build.state, backends = build.backends](const steer::Call&) {
          state->in_flight.Add(1);
          const Ends& ends = backends[0].template data<Ends>();
          return steer::Choice::Complete(0, [state, &ends](const steer::CallEnd& end) {
            state->in_flight.Add(-1);
            const std::chrono::duration<double> latency = end.latency();
            state->seconds.Record(latency.count());
            (end.ok() ? ends.ok : ends.failed).Add();
          });
        };
      });
}

}  // namespace

STEER_PLUGIN(measuring_plugin, "measuring", "1.0", Entry)

void RegisterMeasuringPicker() {
  if (steer_register_plugin(&measuring_plugin) != STEER_OK) std::abort();
}

}  // namespace steer_test
