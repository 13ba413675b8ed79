// An application that uses Steer: one call at the start of main().
#include "client.h"
#include "startup.h"

int main() {
  consumer::Start();
  return consumer::CallServers("steer_round_robin");
}
