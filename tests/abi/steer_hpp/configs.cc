// Configs: steer::Json.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checks.h"

namespace steer_hpp_test {

struct Settings : Counted<Settings> {
  std::string text;
  bool flag = false;
  int64_t integer = 0;
  double number = 0;
  std::vector<std::string> items;
  std::vector<std::pair<std::string, int64_t>> fields;
};

Settings read;

Settings ReadSettings(const steer::Json& json) {
  Settings settings;
  settings.text = json["text"].Required().String();
  settings.flag = json["flag"].Bool(true);
  settings.integer = json["in"]["teger"].Integer(7, -10, 10);
  settings.number = json["number"].Number(0.5, 0, 1);
  for (const steer::Json& item : json["items"].Items()) settings.items.push_back(item.String("-"));
  for (const auto& [key, value] : json["fields"].Fields()) {
    settings.fields.emplace_back(key, value.Integer());
  }
  if (json["text"].Text() == "\"odd\"") json["text"].Fault("is odd");
  read = settings;
  return settings;
}

int32_t RegisterReader(const steer_api* api) {
  return steer::Picker("reader").Config(ReadSettings).Register(api, [](auto&) {
    return [](const steer::Call&) { return steer::Choice::Queue(); };
  });
}

std::string Parse(const char* json) {
  steer_config* config = nullptr;
  steer_string* error = nullptr;
  steer_config_parse(steer_text("reader"), steer_text(json), &config, &error);
  steer_config_free(config);
  return steer::TakeString(error);
}

void CheckConfigs() {
  CHECK(Parse(R"({"text": "a"})").empty());
  CHECK(read.text == "a" && read.flag && read.integer == 7 && read.number == 0.5);
  CHECK(read.items.empty() && read.fields.empty());
  CHECK(
      Parse(R"({"text": "b", "flag": false, "in": {"teger": -10}, "number": 1, "items": ["x", null],
                  "fields": {"k": 1, "l": 2}, "else": 3})")
          .empty());
  CHECK(read.text == "b" && !read.flag && read.integer == -10 && read.number == 1);
  CHECK((read.items == std::vector<std::string>{"x", "-"}));
  CHECK((read.fields == std::vector<std::pair<std::string, int64_t>>{{"k", 1}, {"l", 2}}));

  const std::string prefix = "errors validating reader LB policy config: [";
  CHECK(Parse("{}") == prefix + "field:reader.text error:is missing]");
  CHECK(Parse(R"({"text": "odd"})") == prefix + "field:reader.text error:is odd]");
  CHECK(Parse(R"({"text": 1, "flag": 1, "in": {"teger": 11}, "number": -1, "items": [{}, 2]})") ==
        prefix +
            "field:reader.text error:must be a string; field:reader.flag error:must be true or "
            "false; field:reader.in.teger error:must be from -10 to 10; field:reader.number "
            "error:must be from 0 to 1; field:reader.items[0] error:must be a string; "
            "field:reader.items[1] error:must be a string]");
  CHECK(Parse(R"({"text": "a", "in": 3, "items": {}, "fields": []})") ==
        prefix +
            "field:reader.in error:must be an object; field:reader.items error:must be an array; "
            "field:reader.fields error:must be an object]");
  CHECK(Counted<Settings>::alive == 1);  // `read`
}

}  // namespace steer_hpp_test
