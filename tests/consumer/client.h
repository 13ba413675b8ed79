// The application's calls. Must not depend on: Steer.
#ifndef CONSUMER_CLIENT_H_
#define CONSUMER_CLIENT_H_

#include <string>

namespace consumer {

// Starts three servers on 127.0.0.1, calls them over one channel with this policy, and checks that
// each got a third of the calls. Returns the exit code of the process.
int CallServers(const std::string& policy);

}  // namespace consumer

#endif  // CONSUMER_CLIENT_H_
