// What the test programs of this folder check with. Each includes it once.
#include <stdio.h>
#include <steer/steer.h>
#include <string.h>

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
