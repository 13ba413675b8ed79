/* Plugins that fail while they work. Round robin replaces them. */
#include "plugins_test.h"

typedef struct faulty {
  const char *plugin;
  const char *config;
  /* The fault, as in the log. */
  const char *fault;
  /* Whether the first call fails with the fault. Otherwise no call fails. */
  int call_fails;
} faulty;

static const faulty all_faulty[] = {
    {"instance_new_faults", "{}", "instance_new failed: no channel is good enough", 0},
    {"instance_new_fails", "{}", "instance_new failed: it did not say why (steer_api.fault)", 0},
    {"backend_new_faults", "{}", "backend_new failed: no backend is good enough", 0},
    {"backend_new_fails", "{}", "backend_new failed: it did not say why (steer_api.fault)", 0},
    {"picker_new_faults", "{}", "picker_new failed: out of pickers", 0},
    {"picker_new_fails", "{}", "picker_new failed: it did not say why (steer_api.fault)", 0},
    {"endless_headers", "{}",
     "picker_new failed: steer_wants.header_count is 18446744073709551615, and at most 64 "
     "headers can be read",
     0},
    {"null_headers", "{}", "picker_new failed: steer_wants.headers cannot be read", 0},
    {"bad_header", "{}",
     "picker_new failed: steer_wants.headers[0] is \"Not A Header\": names of headers are "
     "lower-case letters, digits, '-', '_' and '.'",
     0},
    {"unknown_wants", "{}",
     "picker_new failed: steer_wants.bits is 0x80000000, and this engine knows 0xf: use "
     "STEER_WANTS_…",
     0},
    {"pick_faults", "{}", "pick failed: no call is good enough", 1},
    {"pick_out_of_range", "{}", "pick failed: chose backend 99 of 2", 1},
    {"pick_far_out_of_range", "{}", "pick failed: chose backend 18446744073709551615 of 2", 1},
    {"pick_garbage", "{}", "pick failed: returned a choice of the unknown kind 9223372036854775807",
     1},
    {"pick_negative", "{}", "pick failed: returned a choice of the unknown kind -1", 1},
    {"pick_unmade_fail", "{}",
     "pick failed: returned STEER_CHOICE_FAIL that steer_api.fail did not make", 1},
    {"pick_unmade_drop", "{}",
     "pick failed: returned STEER_CHOICE_DROP that steer_api.drop did not make", 1},
    {"pick_unmade_tracked", "{}",
     "pick failed: returned STEER_CHOICE_TRACKED that steer_api.complete_tracked did not make", 1},
    {"pick_unmade_fault", "{}",
     "pick failed: returned STEER_CHOICE_FAULT that steer_api.fault did not make", 1},
    {"pick_tracked_out_of_range", "{}", "pick failed: chose backend 99 of 2", 1},
    {"pick_tracked_unheard", "{}", "pick failed: tracks a call, and its table has no call_finished",
     1},
    {"call_started_faults", "{}", "call_started failed: calls should not start", 0},
    {"call_finished_faults", "{}", "call_finished failed: calls should not end", 0},
    {"timer_faults", "{}", "timer failed: time has run out", 0},
    {"unready_policy", "{}", "pick failed: chose backend 1 of 1", 1},
    {"throws", "{\"where\": \"state\"}",
     "instance_new failed: the channel state's function threw an exception: thrown in state", 0},
    {"throws", "{\"where\": \"backend\"}",
     "backend_new failed: the backend data's function threw an exception: thrown in backend", 0},
    {"throws", "{\"where\": \"make\"}",
     "picker_new failed: the picker's function threw an exception: thrown in make", 0},
    {"throws", "{\"where\": \"pick\"}",
     "pick failed: the picker threw an exception: thrown in pick", 1},
    {"throws", "{\"where\": \"a number\"}",
     "pick failed: the picker threw something that is not a std::exception", 1},
    {"throws", "{\"where\": \"started\"}",
     "call_started failed: TrackedCall::Started threw an exception: thrown in started", 0},
    {"throws", "{\"where\": \"finished\"}",
     "call_finished failed: TrackedCall::Finished threw an exception: thrown in finished", 0},
    {"throws", "{\"where\": \"timer\"}",
     "timer failed: the timer's function threw an exception: thrown in timer", 0},
};

void check_faulty_plugins(void) {
  for (size_t i = 0; i < sizeof all_faulty / sizeof *all_faulty; ++i) {
    const faulty *f = &all_faulty[i];
    size_t counts[2];
    char line[8192], path[4096], why[512];
    about = f->plugin;
    CHECK(load(f->plugin) == STEER_OK);
    steer_testkit *kit = channel_of(f->plugin, f->config);
    steer_testkit_advance(kit, 1000000);

    steer_testkit_pick picked = steer_testkit_pick_one(kit, NULL);
    snprintf(line, sizeof line, "%s: %s", f->plugin, f->fault);
    if (f->call_fails) {
      CHECK(picked.kind == STEER_PICK_FAIL && picked.code == 13);
      CHECK_TEXT(steer_text(picked.message), line);
      /* Calls wait for round robin. They do not fail. */
      CHECK(steer_testkit_pick_one(kit, NULL).kind == STEER_PICK_QUEUE);
    } else {
      CHECK(picked.kind == STEER_PICK_COMPLETE || picked.kind == STEER_PICK_TRACKED);
      steer_testkit_start(&picked);
      steer_testkit_finish(&picked, 0);
    }
    check_innocent();

    steer_testkit_settle(kit);
    steer_testkit_connect_all(kit);
    CHECK(steer_testkit_distribution(kit, NULL, 10, counts) == 0);
    CHECK(counts[0] == 5 && counts[1] == 5);
    CHECK(steer_testkit_faults(kit) == 1);
    CHECK(kit->log_count == 1);
    path_of(f->plugin, path, sizeof path);
    snprintf(line, sizeof line,
             "%s (plugin \"%s\" 1.0 from %s): %s (1 fault so far); round robin replaces the "
             "policy until it gets another config, a new list after a pause, or a new release",
             f->plugin, f->plugin, path, f->fault);
    if (kit->log_count > 0) CHECK_TEXT(steer_text(kit->log[0]), line);
    CHECK(steer_testkit_fallen_back(kit, why, sizeof why));
    CHECK_TEXT(steer_text(why), f->fault);
    CHECK(steer_testkit_free(kit) == 0);
    check_innocent();
  }
}

static const faulty all_rejecting[] = {
    {"config_new_faults", "{}",
     "errors validating config_new_faults LB policy config: [field:config_new_faults error:the "
     "config is beyond me]",
     0},
    {"config_new_fails", "{}",
     "errors validating config_new_fails LB policy config: [field:config_new_fails "
     "error:config_new failed, and did not say why]",
     0},
    {"config_fault_not_utf8", "{}",
     "errors validating config_fault_not_utf8 LB policy config: "
     "[field:config_fault_not_utf8.\xef\xbf\xbd error:\xef\xbf\xbd]",
     0},
    {"throws", "{\"where\": \"config\"}",
     "errors validating throws LB policy config: [field:throws error:the config's function threw "
     "an exception: thrown in config]",
     0},
    {"throws", "{\"where\": [1]}",
     "errors validating throws LB policy config: [field:throws.where error:must be a string]", 0},
    {"good", "[]", "errors validating good LB policy config: [field:good error:is not an object]",
     0},
};

void check_rejected_configs(void) {
  for (size_t i = 0; i < sizeof all_rejecting / sizeof *all_rejecting; ++i) {
    const faulty *f = &all_rejecting[i];
    steer_string *error = NULL;
    steer_config *config = NULL;
    about = f->plugin;
    CHECK(load(f->plugin) == STEER_OK);
    CHECK(steer_config_parse(steer_text(f->plugin), steer_text(f->config), &config, &error) ==
          STEER_INVALID_CONFIG);
    CHECK_TEXT(steer_string_text(error), f->fault);
    CHECK(config == NULL);
    steer_string_free(error);
    check_innocent();
  }
}

/* Faults of calls that began before the fallback are logged at most once a second. */
void check_log_limit(void) {
  about = "call_finished_faults";
  steer_testkit_pick open[20];
  CHECK(load("call_finished_faults") == STEER_OK);
  steer_testkit *kit = channel_of("call_finished_faults", "{}");
  for (size_t i = 0; i < 20; ++i) open[i] = steer_testkit_pick_one(kit, NULL);
  for (size_t i = 0; i < 20; ++i) {
    CHECK(open[i].kind == STEER_PICK_TRACKED);
    if (i == 10) steer_testkit_advance(kit, 1000000001);
    if (i % 2 == 0) {
      steer_testkit_finish(&open[i], 0);
    } else {
      steer_testkit_abandon(&open[i]);
    }
  }
  CHECK(steer_testkit_faults(kit) == 20 && kit->log_count == 2);
  CHECK(steer_testkit_logged(kit, "(11 faults so far)"));
  CHECK(steer_testkit_free(kit) == 0);
}
