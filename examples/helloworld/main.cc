// greeter_client, with the policies that Steer brings and those that --plugins names.

#include "greeter_client.h"

int main(int argc, char** argv) { return greeter_client_main(argc, argv); }
