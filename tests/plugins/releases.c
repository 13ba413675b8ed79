/* Loading plugins from the environment, and new releases. */
#include <unistd.h>

#include "plugins_test.h"

/* steer_last_error names the plugins that fail. The others are loaded. */
void check_environment(void) {
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

/* A plugin that is loaded again is used by later configs. Channels that have the old one keep it.
 */
void check_two_versions(void) {
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

  /* Its next config. No call waits or fails meanwhile. */
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

/* Writes a release of the plugin to a new file, and renames that to `path`. */
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
 * A new file at the same path is a new release, each time, and with each kind of path: absolute,
 * relative, a link.
 */
void check_releases_at_one_path(void) {
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
    /* Loading the same file again changes nothing. */
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
