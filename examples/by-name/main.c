/* The greeter's client, linked with by_name. */
#include <greeter_client.h>
#include <stdio.h>
#include <stdlib.h>
#include <steer/steer.h>

extern const struct steer_plugin by_name_plugin;

int main(int argc, char **argv) {
  /* Before steer::Register(), which the greeter's client calls. */
  if (steer_register_plugin(&by_name_plugin) != STEER_OK) {
    const steer_str error = steer_last_error();
    fprintf(stderr, "%.*s\n", (int)error.length, error.data);
    return EXIT_FAILURE;
  }
  return greeter_client_main(argc, argv);
}
