// A plugin in Rust that is built again: steer_add_rust_picker(… MODULE) writes each build to the
// same path. The new file replaces the old one while that is loaded, and its code is what runs.
//
// Usage: reload <first plugin> <second plugin> <path>

#include "expect.h"

// Writes a file beside `to` and renames it, as linkers and installers do.
static int copy(const char *from, const char *to) {
  char beside[4096];
  char block[65536];
  size_t length;
  snprintf(beside, sizeof beside, "%s.new", to);
  FILE *in = fopen(from, "rb");
  FILE *out = fopen(beside, "wb");
  if (in == NULL || out == NULL) return 0;
  int written = 1;
  while ((length = fread(block, 1, sizeof block, in)) > 0) {
    written &= fwrite(block, 1, length, out) == length;
  }
  fclose(in);
  return fclose(out) == 0 && written && rename(beside, to) == 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *const path = argv[3];
  expect(copy(argv[1], path), "the first plugin is built");
  expect(steer_load_plugin(text(path)) == STEER_OK, "the first plugin is loaded");
  expect(takes("not_last_attempt", "{\"idHeader\": \"x\"}"), "the first plugin's policy is there");
  expect(!takes("sticky_session", "{\"header\": \"x\"}"),
         "the second plugin's policy is not there");

  expect(copy(argv[2], path), "the second plugin is built to the same path");
  expect(steer_load_plugin(text(path)) == STEER_OK, "the second plugin is loaded");
  expect(takes("sticky_session", "{\"header\": \"x\"}"), "the second plugin's policy is there");
  expect(takes("not_last_attempt", "{\"idHeader\": \"x\"}"), "the first plugin's policy stays");
  return failures == 0 ? 0 : 1;
}
