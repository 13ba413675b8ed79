// Two pickers in Rust are registered before main(). They do not clash with the engine or with each
// other. One of them comes again from a plugin.
//
// Usage: program <library>

#include "expect.h"

int library(void);

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
