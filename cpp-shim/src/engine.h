// The engine's texts and configs, as C++ has them.
//
// Must not know: what a config means.
#ifndef STEER_SHIM_ENGINE_H
#define STEER_SHIM_ENGINE_H

#include <string>
#include <utility>

#include "generation.h"
#include "steer/steer.h"

namespace steer::shim {

inline steer_str ToC(absl::string_view text) { return {text.data(), text.size()}; }

inline std::string FromC(steer_str text) {
  return text.length == 0 ? std::string() : std::string(text.data, text.length);
}

// Takes a string of the engine's over; NULL is the empty text.
inline std::string TakeString(steer_string* string) {
  std::string text = FromC(steer_string_text(string));
  steer_string_free(string);
  return text;
}

// A parsed config, which gRPC carries from the parser to the policy.
class EngineConfig : public GrpcConfig {
 public:
  // Takes `config` over.
  EngineConfig(std::string policy_name, steer_config* config)
      : policy_name_(std::move(policy_name)), config_(config) {}
  ~EngineConfig() override { steer_config_free(config_); }

  Name name() const override { return NameOf(policy_name_); }
  const steer_config* get() const { return config_; }

 private:
  const std::string policy_name_;
  steer_config* const config_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_ENGINE_H
