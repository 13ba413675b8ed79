// Throws an exception in the function that its config names: {"throws": {"where": "the picker"}}.
//
// With "a number" it throws an int.

#include <chrono>
#include <stdexcept>
#include <steer/steer.hpp>
#include <string>

namespace {

struct Config {
  std::string where;

  void In(std::string_view place) const {
    if (place != where) return;
    if (where == "a number") throw 3;
    throw std::runtime_error("thrown in " + where);
  }
};

// For functions that do not receive a config.
Config latest;

class Tracked final : public steer::TrackedCall {
 public:
  explicit Tracked(const Config& config) : config_(config) {}
  void Started() override { config_.In("started"); }
  void Finished(const steer::CallEnd&) override { config_.In("finished"); }

 private:
  const Config config_;
};

int32_t Entry(const steer_api* api) {
  return steer::Picker("throws")
      .Config([](const steer::Json& json) {
        latest = Config{json["where"].String()};
        latest.In("config");
        return latest;
      })
      .ChannelState([](steer::Channel channel) {
        latest.In("state");
        if (latest.where == "timer") channel.StartTimer(std::chrono::microseconds(1));
        return 0;
      })
      .BackendData([](int&, const steer::Backend&) {
        latest.In("backend");
        return 0;
      })
      .Timer([](int&, uint64_t) { latest.In("timer"); })
      .Register(api, [](steer::Build<Config, int>& build) {
        build.config.In("make");
        return [config = build.config](const steer::Call&) {
          config.In("pick");
          config.In("a number");
          return steer::Choice::Complete(0, std::make_unique<Tracked>(config));
        };
      });
}

}  // namespace

STEER_PLUGIN(throws_plugin, "throws", "1.0", Entry)
