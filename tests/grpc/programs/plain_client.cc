// A client without Steer: plain_client <target> <service config>. See
// client_program.h for what it prints.
#include "programs/client_program.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return steer_test::RunClient(argv[1], argv[2]);
}
