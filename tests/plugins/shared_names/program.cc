// A program that exports its symbols, including those of steer.hpp, loads a plugin in C++. Neither
// uses the other's functions. With `registered`, it registers its own picker before.
//
//   shared_names <plugin> [registered]
#include <steer/testkit.h>

extern "C" const steer_plugin linked_plugin;

static void CheckPicks(const char* policy) {
  steer_testkit* const kit = steer_testkit_new(policy, "{}", nullptr);
  STEER_CHECK(kit != nullptr);
  steer_testkit_use(kit, 1);
  steer_testkit_connect_all(kit);
  STEER_CHECK(steer_testkit_pick_one(kit, nullptr).kind == STEER_PICK_FAIL);
  const char* const headers[] = {"user", "ada", nullptr};
  steer_testkit_call call = {};
  call.headers = headers;
  STEER_CHECK(steer_testkit_pick_one(kit, &call).kind == STEER_PICK_COMPLETE);
  STEER_CHECK(steer_testkit_faults(kit) == 0);
  STEER_CHECK(steer_testkit_free(kit) == 0);
}

int main(int argc, char** argv) {
  STEER_CHECK(argc >= 2);
  if (argc > 2) STEER_CHECK(steer_register_plugin(&linked_plugin) == STEER_OK);
  STEER_CHECK(steer_load_plugin(steer_text(argv[1])) == STEER_OK);
  CheckPicks("loaded");
  if (argc > 2) CheckPicks("linked");
  // So that the linker does not remove the picker.
  STEER_CHECK(linked_plugin.magic == STEER_PLUGIN_MAGIC);
  return 0;
}
