/* Plugins and arguments that the engine refuses. */
#include "plugins_test.h"

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
  /* "@" is replaced by the plugin's path. */
  const char *error;
  /* The plugin's facts, if the error ends with them. */
  facts theirs;
  /* Its name. NULL: that of its file. */
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
     "policy_new, update: set each required hook",
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
     "@: the entry of plugin \"entry_throws_late\" failed: it threw something that is not a "
     "std::exception",
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

void check_refused_plugins(void) {
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

void check_invalid_arguments(void) {
  const steer_str lost = {NULL, 3};
  about = "a path";
  CHECK(steer_load_plugin(steer_text("")) == STEER_INVALID_ARGUMENT);
  CHECK_TEXT(steer_last_error(), "steer_load_plugin: the path is empty");
  CHECK(steer_load_plugin(lost) == STEER_INVALID_ARGUMENT);
  CHECK(steer_register_plugin(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_register_picker(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_register_policy(NULL) == STEER_NULL_ARGUMENT);
}
