// Part of steer.hpp, which users include: configs.
#ifndef STEER_CPP_CONFIG_HPP
#define STEER_CPP_CONFIG_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "steer/cpp/base.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// The policy of a child with its config: see Json::Child. Valid as long as the config that it is
// part of.
class ChildConfig {
 public:
  STEER_LOCAL explicit ChildConfig(const steer_child_config* config) : config_(config) {}
  const steer_child_config* get() const { return config_; }

 private:
  const steer_child_config* config_;
};

// A value of a config, with its path. A value of another kind or out of range is reported with its
// path, and the function returns the fallback. The config is then rejected with all its faults.
// Valid while the config is read.
class Json {
 public:
  // A field. It is null if it is absent. A value that is not an object has no fields, and that is a
  // fault.
  STEER_LOCAL Json operator[](std::string_view key) const {
    const bool object = Is(STEER_JSON_OBJECT);
    if (!object && !IsNull()) Fault("must be an object");
    const steer_json* value = object ? detail::engine->json_get(json_, ToC(key)) : nullptr;
    return Json(value, faults_, PathOf(key), faulted_);
  }

  // Whether it is absent or null.
  STEER_LOCAL bool IsNull() const { return json_ == nullptr || Is(STEER_JSON_NULL); }

  // This value. It is a fault if it is absent or null.
  STEER_LOCAL const Json& Required() const& { return Require(), *this; }
  STEER_LOCAL Json Required() && { return Require(), std::move(*this); }

  STEER_LOCAL std::string String(std::string_view fallback = {}) const {
    steer_str value = {};
    if (Read(detail::engine->json_string, &value, "must be a string")) return FromC(value);
    return std::string(fallback);
  }

  STEER_LOCAL bool Bool(bool fallback = false) const {
    int32_t value = 0;
    return Read(detail::engine->json_bool, &value, "must be true or false") ? value != 0 : fallback;
  }

  // A whole number in this range.
  STEER_LOCAL int64_t Integer(int64_t fallback = 0,
                              int64_t least = (std::numeric_limits<int64_t>::min)(),
                              int64_t most = (std::numeric_limits<int64_t>::max)()) const {
    int64_t value = 0;
    if (!Read(detail::engine->json_integer, &value, "must be a whole number")) return fallback;
    if (least <= value && value <= most) return value;
    Fault("must be from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }

  // A number in this range.
  STEER_LOCAL double Number(double fallback = 0,
                            double least = std::numeric_limits<double>::lowest(),
                            double most = (std::numeric_limits<double>::max)()) const {
    double value = 0;
    if (!Read(detail::engine->json_number, &value, "must be a number")) return fallback;
    if (least <= value && value <= most) return value;
    char text[96];
    std::snprintf(text, sizeof text, "must be from %g to %g", least, most);
    Fault(text);
    return fallback;
  }

  // The values of an array. Empty for null.
  STEER_LOCAL std::vector<Json> Items() const {
    std::vector<Json> items;
    if (IsNull()) return items;
    if (!Is(STEER_JSON_ARRAY)) return Fault("must be an array"), items;
    const size_t size = detail::engine->json_size(json_);
    for (size_t i = 0; i < size; ++i) {
      items.push_back(Json(detail::engine->json_at(json_, i), faults_,
                           path_ + "[" + std::to_string(i) + "]", faulted_));
    }
    return items;
  }

  // The fields of an object, for objects whose keys are data. Empty for null.
  STEER_LOCAL std::vector<std::pair<std::string, Json>> Fields() const {
    std::vector<std::pair<std::string, Json>> fields;
    if (IsNull()) return fields;
    if (!Is(STEER_JSON_OBJECT)) return Fault("must be an object"), fields;
    const size_t size = detail::engine->json_size(json_);
    for (size_t i = 0; i < size; ++i) {
      std::string key = FromC(detail::engine->json_key(json_, i));
      const Json value(detail::engine->json_at(json_, i), faults_, PathOf(key), faulted_);
      fields.emplace_back(std::move(key), value);
    }
    return fields;
  }

  // The policy of a child, for a custom policy: a list as `loadBalancingConfig` is. Round robin if
  // it is absent or null.
  STEER_LOCAL ChildConfig Child() const {
    const std::string text = IsNull() ? std::string() : Text();
    const ChildConfig child(detail::engine->config_child(faults_, ToC(path_), ToC(text)));
    if (child.get() == nullptr) *faulted_ = true;
    return child;
  }

  // The value as JSON text, for users with their own parser.
  STEER_LOCAL std::string Text() const { return FromC(detail::engine->json_text(json_)); }

  // Reports a fault of this value.
  STEER_LOCAL void Fault(std::string_view error) const {
    detail::engine->config_fault(faults_, ToC(path_), ToC(error));
    *faulted_ = true;
  }

  // Only this header makes it.
  STEER_LOCAL Json(const steer_json* json, steer_faults* faults, std::string path, bool* faulted)
      : json_(json), faults_(faults), path_(std::move(path)), faulted_(faulted) {}

 private:
  STEER_LOCAL bool Is(steer_json_kind kind) const {
    return detail::engine->json_kind(json_) == kind;
  }

  STEER_LOCAL std::string PathOf(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  STEER_LOCAL void Require() const {
    if (IsNull()) Fault("is missing");
  }

  template <class Value>
  STEER_LOCAL bool Read(int32_t (*read)(const steer_json*, Value*), Value* value,
                        const char* error) const {
    if (IsNull()) return false;
    if (read(json_, value) != 0) return true;
    Fault(error);
    return false;
  }

  const steer_json* json_;
  steer_faults* faults_;
  std::string path_;
  bool* faulted_;
};

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_CONFIG_HPP
