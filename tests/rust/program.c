// Two pickers in Rust are registered before main(). They do not clash with the engine or with each
// other. One of them comes again from a plugin.
//
// Usage: program <library>

#include <stdio.h>
#include <steer/steer.h>
#include <string.h>

int library(void);

static int failures;

static void expect(int held, const char *what) {
  if (held) return;
  const steer_str why = steer_last_error();
  printf("FAILED: %s (%.*s)\n", what, (int)why.length, why.data);
  ++failures;
}

static steer_str text(const char *string) {
  const steer_str text = {string, strlen(string)};
  return text;
}

// Whether the policy accepts this config.
static int takes(const char *policy, const char *json) {
  steer_config *config = NULL;
  steer_string *error = NULL;
  const int taken = steer_config_parse(text(policy), text(json), &config, &error) == STEER_OK;
  steer_config_free(config);
  steer_string_free(error);
  return taken;
}

static void expect_pickers(void) {
  expect(takes("sticky_session", "{\"header\": \"x\"}"), "sticky_session takes its config");
  expect(!takes("sticky_session", "{}"), "sticky_session refuses a config without a header");
  expect(takes("not_last_attempt", "{\"idHeader\": \"x\"}"), "not_last_attempt takes its config");
  expect(!takes("not_last_attempt", "{\"idHeader\": \"\"}"), "not_last_attempt refuses no header");
}

int main(int argc, char **argv) {
  expect(library() == 0, "the library is linked");
  expect_pickers();
  expect(argc == 2 && steer_load_plugin(text(argv[1])) == STEER_OK, "the plugin is loaded");
  expect_pickers();
  return failures == 0 ? 0 : 1;
}
