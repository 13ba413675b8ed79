/*
 * What the engine says to plugins of every misbehaviour, and that nobody but their own channel
 * notices. Run as it is and under valgrind.
 *
 *   plugins_test <directory of the plugins of hostile/>
 *
 * Must not know: gRPC, Rust.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <steer/picker.h>
#include <steer/testkit.h>
#include <time.h>
#include <unistd.h>

static int failures;
static const char *directory;
/* Which plugin the checks are about. */
static const char *about = "";

#define CHECK(condition)                                                                       \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "%s:%d: %s: CHECK(%s) failed\n", __FILE__, __LINE__, about, #condition); \
      ++failures;                                                                              \
    }                                                                                          \
  } while (0)

static void check_text(int line, steer_str text, const char *expected) {
  if (steer_text_equal(text, steer_text(expected))) return;
  fprintf(stderr, "%s:%d: %s:\n  expected: %s\n  it says:  %.*s\n", __FILE__, line, about, expected,
          (int)text.length, text.data);
  ++failures;
}
#define CHECK_TEXT(text, expected) check_text(__LINE__, text, expected)

static void path_of(const char *plugin, char *path, size_t size) {
  snprintf(path, size, "%s/%s.so", directory, plugin);
}

static steer_status load(const char *plugin) {
  char path[4096];
  path_of(plugin, path, sizeof path);
  return steer_load_plugin(steer_text(path));
}

/* --- An innocent channel, of a policy that does as it should, all the time. --- */

static steer_testkit *innocent;

static void check_innocent(void) {
  size_t counts[2];
  CHECK(steer_testkit_distribution(innocent, NULL, 10, counts) == 0);
  CHECK(counts[0] == 10 && counts[1] == 0);
  CHECK(steer_testkit_faults(innocent) == 0);
}

/* A channel of this policy with two backends, both READY as far as the policy connects to them. */
static steer_testkit *channel_of(const char *policy, const char *config) {
  steer_string *error = NULL;
  steer_testkit *kit = steer_testkit_new(policy, config, &error);
  CHECK_TEXT(steer_string_text(error), "");
  steer_string_free(error);
  if (kit == NULL) exit(EXIT_FAILURE);
  steer_testkit_use(kit, 2);
  steer_testkit_connect_all(kit);
  return kit;
}

/* --- Plugins that are not taken. --- */

typedef struct facts {
  int abi, pointers;
  size_t api, picker_type, policy_type;
} facts;

#define FACTS                                                                      \
  STEER_ABI_VERSION, sizeof(void *), sizeof(steer_api), sizeof(steer_picker_type), \
      sizeof(steer_policy_type)

typedef struct refused {
  const char *plugin;
  steer_status status;
  /* "@" stands for the plugin's path. */
  const char *error;
  /* What it says of itself, when the error ends with that. */
  facts theirs;
  /* Its name; NULL: that of its file. */
  const char *name;
} refused;

static const refused all_refused[] = {
    {"nowhere",
     STEER_BAD_PLUGIN,
     "@ cannot be loaded: @: cannot open shared object file: No such file or directory",
     {0},
     NULL},
    {"not_a_library", STEER_BAD_PLUGIN, "@ cannot be loaded: @: file too short", {0}, NULL},
    {"no_block",
     STEER_BAD_PLUGIN,
     "@ is not a plugin of Steer: it exports no steer_plugin_block (steer_plugin! makes it in "
     "Rust, and STEER_PLUGIN in C and C++)",
     {0},
     NULL},
    {"wrong_magic",
     STEER_BAD_PLUGIN,
     "@ is not a plugin of Steer: its block begins with 0x123456789abcdef0, and those of plugins "
     "with 0x00424c5245455453",
     {0},
     NULL},
    {"short_block",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: its steer_plugin has 96 bytes, and that of ABI version 2 has "
     "104: compile it with this engine's headers",
     {0},
     NULL},
    {"later_abi",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: it was compiled for a later version of the ABI: use that Steer "
     "or a later one, or compile it with this engine's headers",
     {STEER_ABI_VERSION + 1, sizeof(void *), sizeof(steer_api), sizeof(steer_picker_type),
      sizeof(steer_policy_type)},
     NULL},
    {"other_pointer_size",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: its pointers have another size: compile it for this machine",
     {STEER_ABI_VERSION, 4, sizeof(steer_api), sizeof(steer_picker_type),
      sizeof(steer_policy_type)},
     NULL},
    {"larger_api",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: its tables are larger than those of its ABI version: compile it "
     "with unchanged headers",
     {STEER_ABI_VERSION, sizeof(void *), sizeof(steer_api) + 8, sizeof(steer_picker_type),
      sizeof(steer_policy_type)},
     NULL},
    {"larger_picker_type",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: its tables are larger than those of its ABI version: compile it "
     "with unchanged headers",
     {STEER_ABI_VERSION, sizeof(void *), sizeof(steer_api), sizeof(steer_picker_type) + 8,
      sizeof(steer_policy_type)},
     NULL},
    {"larger_policy_type",
     STEER_BAD_PLUGIN,
     "@ does not fit this engine: its tables are larger than those of its ABI version: compile it "
     "with unchanged headers",
     {STEER_ABI_VERSION, sizeof(void *), sizeof(steer_api), sizeof(steer_picker_type),
      sizeof(steer_policy_type) + 8},
     NULL},
    {"no_entry",
     STEER_MISSING_CALLBACK,
     "@: steer_plugin.entry of \"no_entry\" is NULL: it cannot register anything",
     {0},
     NULL},
    {"entry_faults",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_faults\" failed: the license has run out",
     {0},
     NULL},
    {"entry_fails",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_fails\" failed: it did not say why (steer_api.fault)",
     {0},
     NULL},
    {"entry_fails_late",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_fails_late\" failed: the second thought",
     {0},
     NULL},
    {"entry_registers_nothing",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_registers_nothing\" has registered nothing: call "
     "steer_api.register_picker or register_policy in it",
     {0},
     NULL},
    {"registers_null",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"registers_null\" failed: steer_picker_type: an argument that must "
     "not be NULL is NULL",
     {0},
     NULL},
    {"registers_twice",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"registers_twice\" failed: there is a policy named "
     "\"registers_twice\" already, of the plugin \"registers_twice\": choose another name",
     {0},
     NULL},
    {"short_table",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"short_table\" failed: steer_picker_type: struct_size is below that "
     "of ABI version 1: set it to sizeof of the struct",
     {0},
     NULL},
    {"no_picker_new",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"no_picker_new\" failed: no_picker_new: steer_picker_type has no "
     "picker_new: set each required hook",
     {0},
     NULL},
    {"no_pick",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"no_pick\" failed: no_pick: steer_picker_type has no pick: set each "
     "required hook",
     {0},
     NULL},
    {"no_hooks",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"no_hooks\" failed: no_hooks: steer_picker_type has no picker_new, "
     "pick: set each required hook",
     {0},
     NULL},
    {"empty_policy_type",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"empty_policy_type\" failed: hollow: steer_policy_type has no "
     "policy_new, update, endpoint_report, pick: set each required hook",
     {0},
     NULL},
    {"no_type_name",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"no_type_name\" failed: \"\" cannot name a policy: use lower-case "
     "letters, digits and '_', beginning with a letter",
     {0},
     NULL},
    {"type_name_not_utf8",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"type_name_not_utf8\" failed: steer_picker_type.name is not UTF-8: "
     "use lower-case letters, digits and '_'",
     {0},
     NULL},
    {"bad_type_name",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"bad_type_name\" failed: \"Bad-Name\" cannot name a policy: use "
     "lower-case letters, digits and '_', beginning with a letter",
     {0},
     NULL},
    {"reserved_name",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"reserved_name\" failed: \"steer_mine\" cannot be registered: names "
     "that begin with \"steer_\" are Steer's own; choose another name",
     {0},
     NULL},
    {"name_of_built_in",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"name_of_built_in\" failed: \"steer_round_robin\" cannot be "
     "registered: names that begin with \"steer_\" are Steer's own; choose another name",
     {0},
     NULL},
    {"name_of_another",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"name_of_another\" failed: there is a policy named \"good\" already, "
     "of the plugin \"good\": choose another name",
     {0},
     NULL},
    {"throws_at_once",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"throws_at_once\" failed: Picker::Register threw an exception: not "
     "to be moved",
     {0},
     NULL},
    {"entry_throws",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_throws\" failed: it threw an exception: the file of weights "
     "is missing",
     {0},
     NULL},
    {"entry_throws_late",
     STEER_PLUGIN_FAILED,
     "@: the entry of plugin \"entry_throws_late\" failed: it threw what is no std::exception",
     {0},
     NULL},
};

static void write_facts(const facts *f, char *text, size_t size) {
  snprintf(text, size,
           "ABI %d, pointers of %d bytes, steer_api %zu bytes, steer_picker_type %zu bytes, "
           "steer_policy_type %zu bytes",
           f->abi, f->pointers, f->api, f->picker_type, f->policy_type);
}

static void expect(const refused *r, char *text, size_t size) {
  const facts ours = {FACTS};
  char path[4096], theirs[256], mine[256];
  size_t length = 0;
  path_of(r->plugin, path, sizeof path);
  for (const char *at = r->error; *at != '\0'; ++at) {
    const char one[] = {*at, '\0'};
    length += (size_t)snprintf(text + length, size - length, "%s", *at == '@' ? path : one);
  }
  if (r->theirs.abi == 0) return;
  write_facts(&r->theirs, theirs, sizeof theirs);
  write_facts(&ours, mine, sizeof mine);
  snprintf(text + length, size - length,
           " (plugin \"%s\" 1.0 built by the tests: %s; engine %.*s: %s)", r->plugin, theirs,
           (int)steer_version().length, steer_version().data, mine);
}

static size_t count_policies(void) {
  size_t count = 0;
  steer_string *name = NULL;
  while (steer_policy_name(count, &name) == STEER_OK) {
    steer_string_free(name);
    count++;
  }
  return count;
}

static void plugins_that_are_refused(void) {
  for (size_t i = 0; i < sizeof all_refused / sizeof *all_refused; ++i) {
    const refused *r = &all_refused[i];
    const size_t before = count_policies();
    char expected[8192];
    about = r->plugin;
    expect(r, expected, sizeof expected);
    CHECK(load(r->plugin) == r->status);
    CHECK_TEXT(steer_last_error(), expected);
    CHECK(count_policies() == before);
    check_innocent();
  }
}

static void paths_that_are_none(void) {
  const steer_str lost = {NULL, 3};
  about = "a path";
  CHECK(steer_load_plugin(steer_text("")) == STEER_INVALID_ARGUMENT);
  CHECK_TEXT(steer_last_error(), "steer_load_plugin: the path is empty");
  CHECK(steer_load_plugin(lost) == STEER_INVALID_ARGUMENT);
  CHECK(steer_register_plugin(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_register_picker(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_register_policy(NULL) == STEER_NULL_ARGUMENT);
}

/* --- Plugins that break while they work: round robin takes over. --- */

typedef struct faulty {
  const char *plugin;
  const char *config;
  /* What was being done, and what went wrong with it: as in the log. */
  const char *fault;
  /* The first call fails with that; else none does. */
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
    {"pick_garbage", "{}",
     "pick failed: returned a choice of the kind 9223372036854775807, which there is not", 1},
    {"pick_negative", "{}", "pick failed: returned a choice of the kind -1, which there is not", 1},
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
     "pick failed: the picker threw what is no std::exception", 1},
    {"throws", "{\"where\": \"started\"}",
     "call_started failed: TrackedCall::Started threw an exception: thrown in started", 0},
    {"throws", "{\"where\": \"finished\"}",
     "call_finished failed: TrackedCall::Finished threw an exception: thrown in finished", 0},
    {"throws", "{\"where\": \"timer\"}",
     "timer failed: the timer's function threw an exception: thrown in timer", 0},
};

static void plugins_that_break(void) {
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
      /* Calls wait for round robin, and do not fail. */
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

/* --- Plugins whose configs are rejected. --- */

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

static void plugins_that_reject_configs(void) {
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

/* --- Plugins that are odd, and not broken. --- */

typedef struct odd {
  const char *plugin;
  const char *policy;
  /* What calls fail with; 0: they go to the first backend. */
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

static void plugins_that_are_odd(void) {
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

/* --- One at a time. --- */

/* What one plugin says, and does not mean, is never taken for another one's on the same thread. */
static void what_one_says_is_not_anothers(void) {
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
    steer_testkit *tracking = channel_of("throws", "{}"); /* which it does not */
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

/* What is serialised does nothing on another thread, nor after the end, and says so: once a second.
 */
static void hooks_that_are_called_late(void) {
  const struct timespec moment = {0, 1000000};
  const char *line =
      "steer_api.timer_start was called outside of the policy's serialised hooks, and did nothing: "
      "call it from within one, for example from the hook timer";
  about = "timer_from_thread";
  CHECK(load("timer_from_thread") == STEER_OK);
  steer_testkit *kit = channel_of("timer_from_thread", "{}");
  for (int tries = 0; !steer_testkit_logged(kit, line) && tries < 120000; ++tries) {
    nanosleep(&moment, NULL);
  }
  CHECK(steer_testkit_logged(kit, line) && kit->log_count == 1);
  CHECK(steer_testkit_faults(kit) == 0 && kit->timer_count == 0 && kit->reresolutions == 0);
  CHECK(steer_testkit_free(kit) == 0);
  check_innocent();
}

/* Once a second at most: faults of calls that were under way when round robin took over. */
static void many_faults_are_few_lines(void) {
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

/* A plugin that is loaded again serves configs from then on; who has the old one keeps it. */
static void two_versions_side_by_side(void) {
  size_t counts[2];
  about = "versions";
  CHECK(load("version_first") == STEER_OK);
  steer_testkit *old = channel_of("versions", "{}");
  CHECK(steer_testkit_distribution(old, NULL, 10, counts) == 0 && counts[0] == 10);

  CHECK(load("version_second") == STEER_OK);
  steer_testkit *young = channel_of("versions", "{}");
  CHECK(steer_testkit_distribution(young, NULL, 10, counts) == 0 && counts[1] == 10);
  steer_testkit_use(old, 2);
  CHECK(steer_testkit_distribution(old, NULL, 10, counts) == 0 && counts[0] == 10);

  /* Its next config: no call waits or fails on the way. */
  CHECK(steer_testkit_configure(old, "{}", NULL) == STEER_OK);
  steer_testkit_use(old, 2);
  CHECK(steer_testkit_distribution(old, NULL, 10, counts) == 0 && counts[1] == 10);

  CHECK(load("version_first") == STEER_OK);
  CHECK(steer_testkit_configure(young, "{}", NULL) == STEER_OK);
  steer_testkit_use(young, 2);
  CHECK(steer_testkit_distribution(young, NULL, 10, counts) == 0 && counts[0] == 10);
  CHECK(steer_testkit_faults(old) == 0 && steer_testkit_faults(young) == 0);
  CHECK(steer_testkit_free(old) == 0);
  CHECK(steer_testkit_free(young) == 0);
}

static void copy_file(const char *from, const char *to) {
  char bytes[65536];
  size_t count;
  FILE *const in = fopen(from, "rb"), *const out = fopen(to, "wb");
  CHECK(in != NULL && out != NULL);
  if (in == NULL || out == NULL) exit(EXIT_FAILURE);
  while ((count = fread(bytes, 1, sizeof bytes, in)) > 0) {
    CHECK(fwrite(bytes, 1, count, out) == count);
  }
  fclose(in);
  CHECK(fclose(out) == 0);
}

/* Puts a release of the plugin in another file, and that in the place of the one that is there. */
static void install(const char *plugin, const char *path) {
  char release[4096], fresh[4096 + 8];
  path_of(plugin, release, sizeof release);
  snprintf(fresh, sizeof fresh, "%s.new", path);
  copy_file(release, fresh);
  CHECK(rename(fresh, path) == 0);
}

static void check_backend(size_t backend) {
  size_t counts[2];
  steer_testkit *kit = channel_of("versions", "{}");
  CHECK(steer_testkit_distribution(kit, NULL, 10, counts) == 0 && counts[backend] == 10);
  CHECK(steer_testkit_free(kit) == 0);
}

/*
 * A new file at the same path is a new release, as often as that happens, and by whatever name: an
 * absolute path, one from the working directory, a link.
 */
static void releases_at_the_same_path(void) {
  char folder[4096], path[4096 + 32], link[4096 + 32], back[4096];
  about = "releases at the same path";
  snprintf(folder, sizeof folder, "%s/releases-XXXXXX", directory);
  CHECK(mkdtemp(folder) != NULL);
  CHECK(getcwd(back, sizeof back) != NULL);
  snprintf(path, sizeof path, "%s/versions.so", folder);
  snprintf(link, sizeof link, "%s/link.so", folder);
  CHECK(symlink("versions.so", link) == 0);
  for (int i = 0; i < 6; ++i) {
    install(i % 2 == 0 ? "version_first" : "version_second", path);
    CHECK(steer_load_plugin(steer_text(i < 4 ? path : link)) == STEER_OK);
    check_backend(i % 2);
    /* The very same file again: the same code, and no harm. */
    CHECK(steer_load_plugin(steer_text(path)) == STEER_OK);
    check_backend(i % 2);
  }
  CHECK(chdir(folder) == 0);
  install("version_first", "versions.so");
  CHECK(steer_load_plugin(steer_text("./versions.so")) == STEER_OK);
  check_backend(0);
  install("version_second", "versions.so");
  CHECK(steer_load_plugin(steer_text("./versions.so")) == STEER_OK);
  check_backend(1);
  CHECK(chdir(back) == 0);
  CHECK(unlink(link) == 0 && unlink(path) == 0 && rmdir(folder) == 0);
}

/* The bad ones are named, and the good ones work. */
static void plugins_of_the_environment(void) {
  char paths[3 * 4096], expected[3 * 4096];
  about = "STEER_PLUGINS";
  snprintf(paths, sizeof paths, "%s/no_block.so::%s/good.so:%s/entry_faults.so", directory,
           directory, directory);
  setenv("STEER_PLUGINS", paths, 1);
  CHECK(steer_load_plugins() == STEER_BAD_PLUGIN);
  snprintf(expected, sizeof expected,
           "STEER_PLUGINS: %s/no_block.so is not a plugin of Steer: it exports no "
           "steer_plugin_block (steer_plugin! makes it in Rust, and STEER_PLUGIN in C and C++); "
           "STEER_PLUGINS: %s/entry_faults.so: the entry of plugin \"entry_faults\" failed: the "
           "license has run out",
           directory, directory);
  CHECK_TEXT(steer_last_error(), expected);
  CHECK(steer_load_plugins() == STEER_OK);
}

static void good_ones_keep_what_every_policy_must(void) {
  about = "conformance";
  CHECK(steer_testkit_conformance("good", "{}", NULL) == 0);
  CHECK(steer_testkit_conformance("throws", "{}", NULL) == 0); /* it tracks, and throws nothing */
  CHECK(steer_testkit_conformance("steer_round_robin", "{}", NULL) == 0);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: plugins_test <directory of plugins>\n");
    return EXIT_FAILURE;
  }
  directory = argv[1];
  plugins_of_the_environment();
  innocent = channel_of("good", "{}");
  plugins_that_are_refused();
  paths_that_are_none();
  plugins_that_break();
  plugins_that_reject_configs();
  plugins_that_are_odd();
  what_one_says_is_not_anothers();
  hooks_that_are_called_late();
  many_faults_are_few_lines();
  two_versions_side_by_side();
  releases_at_the_same_path();
  good_ones_keep_what_every_policy_must();
  about = "the innocent channel";
  check_innocent();
  CHECK(steer_testkit_free(innocent) == 0);
  printf("tests/plugins: %s\n", failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
