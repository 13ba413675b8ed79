// The same application without a word of Steer: a library that registers itself is linked to it, or
// preloaded.
#include "client.h"

int main() { return consumer::CallServers("steer_round_robin"); }
