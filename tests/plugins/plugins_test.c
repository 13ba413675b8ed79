/*
 * Checks the engine's answers to plugins that misbehave in each way, and that they affect only
 * their own channels. Also runs under valgrind.
 *
 *   plugins_test <directory of the plugins of hostile/>
 *
 * Must not depend on: gRPC, Rust.
 */
#include "plugins_test.h"

int failures;
const char *directory;
const char *about = "";

void check_text(const char *file, int line, steer_str text, const char *expected) {
  if (steer_text_equal(text, steer_text(expected))) return;
  fprintf(stderr, "%s:%d: %s:\n  expected: %s\n  actual:   %.*s\n", file, line, about, expected,
          (int)text.length, text.data);
  ++failures;
}

void path_of(const char *plugin, char *path, size_t size) {
  snprintf(path, size, "%s/%s.so", directory, plugin);
}

steer_status load(const char *plugin) {
  char path[4096];
  path_of(plugin, path, sizeof path);
  return steer_load_plugin(steer_text(path));
}

/* A channel of the plugin `good`, which the other plugins must not affect. */
static steer_testkit *innocent;

void check_innocent(void) {
  size_t counts[2];
  CHECK(steer_testkit_distribution(innocent, NULL, 10, counts) == 0);
  CHECK(counts[0] == 10 && counts[1] == 0);
  CHECK(steer_testkit_faults(innocent) == 0);
}

steer_testkit *channel_of(const char *policy, const char *config) {
  steer_string *error = NULL;
  steer_testkit *kit = steer_testkit_new(policy, config, &error);
  CHECK_TEXT(steer_string_text(error), "");
  steer_string_free(error);
  if (kit == NULL) exit(EXIT_FAILURE);
  steer_testkit_use(kit, 2);
  steer_testkit_connect_all(kit);
  return kit;
}

static void check_conformance(void) {
  about = "conformance";
  CHECK(steer_testkit_conformance("good", "{}", NULL) == 0);
  CHECK(steer_testkit_conformance("throws", "{}", NULL) ==
        0); /* tracks its calls, and does not throw */
  CHECK(steer_testkit_conformance("steer_round_robin", "{}", NULL) == 0);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: plugins_test <directory of plugins>\n");
    return EXIT_FAILURE;
  }
  directory = argv[1];
  check_environment();
  innocent = channel_of("good", "{}");
  check_refused_plugins();
  check_invalid_arguments();
  check_faulty_plugins();
  check_rejected_configs();
  check_odd_plugins();
  check_choices_stay_apart();
  check_late_calls();
  check_log_limit();
  check_two_versions();
  check_releases_at_one_path();
  check_conformance();
  about = "the innocent channel";
  check_innocent();
  CHECK(steer_testkit_free(innocent) == 0);
  printf("tests/plugins: %s\n", failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
