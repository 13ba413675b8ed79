/* Plugins that behave oddly, which the engine allows or ignores. */
#include <time.h>

#include "plugins_test.h"

typedef struct odd {
  const char *plugin;
  const char *policy;
  /* The code that calls fail with. 0: they go to the first backend. */
  int32_t code;
  const char *message;
} odd;

static const odd all_odd[] = {
    {"longer_block", "longer_block", 0, ""},
    {"pick_slow", "pick_slow", 0, ""},
    {"pick_reads_undeclared", "pick_reads_undeclared", 0, ""},
    {"pick_says_fault", "pick_says_fault", 0, ""},
    {"pick_says_fail", "pick_says_fail", 0, ""},
    {"pick_says_tracked", "pick_says_tracked", 0, ""},
    {"tracks_outside_of_picks", "tracks_outside_of_picks", 0, ""},
    {"pick_bad_code", "pick_bad_code", 13,
     "Illegal status code from LB pick; original status: NOT_FOUND: no such backend"},
    {"pick_ok_code", "pick_ok_code", 13,
     "Illegal status code from LB pick; original status: OK: all is well"},
    {"pick_no_code", "pick_no_code", 2, "nothing"},
};

void check_odd_plugins(void) {
  const char *headers[] = {"x", "y", NULL};
  const steer_testkit_call call = {"/a/b", headers, NULL, 0, 0};
  for (size_t i = 0; i < sizeof all_odd / sizeof *all_odd; ++i) {
    const odd *o = &all_odd[i];
    about = o->plugin;
    CHECK(load(o->plugin) == STEER_OK);
    steer_testkit *kit = channel_of(o->policy, "{}");
    for (int calls = 0; calls < 3; ++calls) {
      const steer_testkit_pick picked = steer_testkit_pick_one(kit, &call);
      CHECK(picked.kind == (o->code == 0 ? STEER_PICK_COMPLETE : STEER_PICK_FAIL));
      CHECK(picked.code == o->code && (o->code != 0 || picked.backend == 0));
      CHECK_TEXT(steer_text(picked.message), o->message);
    }
    CHECK(steer_testkit_faults(kit) == 0 && kit->log_count == 0);
    CHECK(steer_testkit_free(kit) == 0);
    check_innocent();
  }
}

/* Choices that a plugin makes and does not return are never used for another plugin on its thread.
 */
void check_choices_stay_apart(void) {
  static const char *const sayers[] = {"pick_says_fault", "pick_says_fail", "pick_says_tracked",
                                       "tracks_outside_of_picks"};
  static const char *const silent[] = {"pick_unmade_fail", "pick_unmade_drop",
                                       "pick_unmade_tracked", "pick_unmade_fault"};
  steer_string *error = NULL;
  steer_config *config = NULL;
  for (size_t i = 0; i < sizeof sayers / sizeof *sayers; ++i) {
    about = sayers[i];
    for (size_t k = 0; k < sizeof silent / sizeof *silent; ++k) {
      steer_testkit *sayer = channel_of(sayers[i], "{}"), *other = channel_of(silent[k], "{}");
      CHECK(steer_testkit_pick_one(sayer, NULL).backend == 0);
      const steer_testkit_pick picked = steer_testkit_pick_one(other, NULL);
      CHECK(picked.kind == STEER_PICK_FAIL && picked.code == 13);
      CHECK(strstr(picked.message, "did not make") != NULL);
      CHECK(steer_testkit_free(other) == 0 && steer_testkit_free(sayer) == 0);
    }
    steer_testkit *sayer = channel_of(sayers[i], "{}");
    steer_testkit *tracking = channel_of("throws", "{}"); /* tracks its calls, and does not throw */
    CHECK(steer_testkit_pick_one(sayer, NULL).backend == 0);
    steer_testkit_pick picked = steer_testkit_pick_one(tracking, NULL);
    CHECK(picked.kind == STEER_PICK_TRACKED);
    CHECK(steer_testkit_pick_one(sayer, NULL).backend == 0);
    steer_testkit_start(&picked);
    CHECK(steer_testkit_pick_one(sayer, NULL).backend == 0);
    steer_testkit_finish(&picked, 0);
    CHECK(steer_testkit_faults(tracking) == 0 && steer_testkit_faults(sayer) == 0);
    CHECK(steer_testkit_pick_one(sayer, NULL).backend == 0);
    CHECK(steer_config_parse(steer_text("config_new_fails"), steer_text("{}"), &config, &error) ==
          STEER_INVALID_CONFIG);
    CHECK_TEXT(steer_string_text(error),
               "errors validating config_new_fails LB policy config: [field:config_new_fails "
               "error:config_new failed, and did not say why]");
    steer_string_free(error);
    CHECK(steer_testkit_free(tracking) == 0 && steer_testkit_free(sayer) == 0);
  }
}

/* Serialised functions are refused on another thread and after the end, with one log line a second.
 */
void check_late_calls(void) {
  const struct timespec moment = {0, 1000000};
  const char *line =
      "steer_api.request_reresolution was called outside of the policy's serialised hooks, and did "
      "nothing: "
      "call it from within one, for example from the hook timer";
  about = "timer_from_thread";
  CHECK(load("timer_from_thread") == STEER_OK);
  steer_testkit *kit = channel_of("timer_from_thread", "{}");
  for (int tries = 0; !steer_testkit_logged(kit, line) && tries < 120000; ++tries) {
    nanosleep(&moment, NULL);
  }
  CHECK(steer_testkit_logged(kit, line) && kit->log_count == 1);
  CHECK(steer_testkit_faults(kit) == 0 && kit->reresolutions == 0);
  CHECK(steer_testkit_free(kit) == 0);
  check_innocent();
}
