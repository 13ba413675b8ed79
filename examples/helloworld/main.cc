// greeter_client, with Steer's own policies and those of --plugins.

#include "greeter_client.h"

int main(int argc, char** argv) { return greeter_client_main(argc, argv); }
