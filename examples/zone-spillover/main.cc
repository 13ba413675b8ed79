// The greeter's client, linked with zone_spillover.

#include <greeter_client.h>
#include <steer/steer.h>

#include <iostream>
#include <string_view>

extern "C" const steer_plugin zone_spillover_plugin;

int main(int argc, char** argv) {
  // Before steer::Register(), which the greeter's client calls.
  if (steer_register_plugin(&zone_spillover_plugin) != STEER_OK) {
    const steer_str error = steer_last_error();
    std::cerr << std::string_view(error.data, error.length) << std::endl;
    return 1;
  }
  return greeter_client_main(argc, argv);
}
