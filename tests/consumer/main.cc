// The application that uses Steer, as a user writes it: one call at the start of main().
#include "client.h"
#include "startup.h"

int main() {
  consumer::Start();
  return consumer::CallServers("steer_round_robin");
}
