// The same application without code for Steer. A library that registers itself is linked with it,
// or preloaded.
#include "client.h"

int main() { return consumer::CallServers("steer_round_robin"); }
