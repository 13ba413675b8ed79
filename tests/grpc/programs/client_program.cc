// The part that all client programs share. Knows nothing of Steer.
#include "programs/client_program.h"

#include <iostream>

#include "support/client.h"
#include "support/wait.h"

namespace steer_test {

int RunClient(const std::string& target, const std::string& service_config) {
  const auto channel = MakeChannel(target, service_config);
  const grpc::Status status = Call(channel).status;
  if (!status.ok()) {
    std::cout << "failed=" << status.error_code() << " " << status.error_message() << std::endl;
    return 1;
  }
  // Once around without a change for a while: all backends that are there take part.
  constexpr int kCalls = 300;
  Counts counts;
  WaitUntil([&] {
    const Counts before = counts;
    counts = CountCalls(channel, kCalls);
    return counts == before;
  });
  std::cout << "policy=" << channel->GetLoadBalancingPolicyName() << std::endl;
  for (const auto& [port, calls] : counts) std::cout << port << "=" << calls << std::endl;
  return 0;
}

}  // namespace steer_test
