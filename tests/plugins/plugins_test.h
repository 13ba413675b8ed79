/*
 * The parts of plugins_test: each checks one subject with the plugins of hostile/.
 */
#ifndef STEER_TESTS_PLUGINS_TEST_H
#define STEER_TESTS_PLUGINS_TEST_H

#include <inttypes.h>
#include <steer/picker.h>
#include <steer/testkit.h>

extern int failures;
/* The directory of the plugins. */
extern const char *directory;
/* The plugin that the checks are about. */
extern const char *about;

#define CHECK(condition)                                                                       \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "%s:%d: %s: CHECK(%s) failed\n", __FILE__, __LINE__, about, #condition); \
      ++failures;                                                                              \
    }                                                                                          \
  } while (0)

void check_text(const char *file, int line, steer_str text, const char *expected);
#define CHECK_TEXT(text, expected) check_text(__FILE__, __LINE__, text, expected)

/* The path of a plugin's file. */
void path_of(const char *plugin, char *path, size_t size);
steer_status load(const char *plugin);

/* A channel of this policy with two backends. Those that the policy connects to are READY. */
steer_testkit *channel_of(const char *policy, const char *config);

/* Checks that the channel of the plugin `good` works and has no faults. */
void check_innocent(void);

/* refused.c */
void check_refused_plugins(void);
void check_invalid_arguments(void);
/* faulty.c */
void check_faulty_plugins(void);
void check_rejected_configs(void);
void check_log_limit(void);
/* odd.c */
void check_odd_plugins(void);
void check_choices_stay_apart(void);
void check_late_calls(void);
/* releases.c */
void check_environment(void);
void check_two_versions(void);
void check_releases_at_one_path(void);

#endif
