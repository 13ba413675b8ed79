// zone_spillover: calls stay in the client's zone as long as enough of its backends are READY.
// Otherwise they go to the backends of all zones.
//
//   {"zone_spillover": {"zone": "a", "min_ready": 2, "zones": {"ipv4:127.0.0.1:50051": "a"}}}
//
// The zone of a backend comes from the resolver (xDS sends it), or else from the config, by
// address.
//
// Cost of a pick: one random number.

#include <map>
#include <steer/steer.hpp>
#include <string>
#include <vector>

namespace {

struct Config {
  std::string zone;
  int64_t min_ready;
  std::map<std::string, std::string, std::less<>> zones;
};

Config ReadConfig(const steer::Json& json) {
  Config config{json["zone"].Required().String(), json["min_ready"].Integer(1, 1, 1000), {}};
  for (const auto& [address, zone] : json["zones"].Fields()) {
    config.zones[address] = zone.String();
  }
  return config;
}

std::string_view ZoneOf(const Config& config, const steer::Backend& backend) {
  if (!backend.zone().empty()) return backend.zone();
  const auto found = config.zones.find(backend.address());
  return found == config.zones.end() ? std::string_view() : found->second;
}

auto NewPicker(steer::Build<Config>& build) {
  std::vector<size_t> all, local;
  for (size_t i = 0; i < build.backends.size(); ++i) {
    all.push_back(i);
    if (ZoneOf(build.config, build.backends[i]) == build.config.zone) local.push_back(i);
  }
  const bool enough = local.size() >= static_cast<size_t>(build.config.min_ready);
  return [channel = build.channel, chosen = enough ? local : all](const steer::Call&) {
    return steer::Choice::Complete(chosen[channel.RandomIndex(chosen.size())]);
  };
}

int32_t Entry(const steer_api* api) {
  return steer::Picker("zone_spillover").Config(ReadConfig).Register(api, NewPicker);
}

}  // namespace

STEER_PLUGIN(zone_spillover_plugin, "zone_spillover", "1.0", Entry)
