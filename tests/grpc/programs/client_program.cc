// The common part of all client programs.
#include "programs/client_program.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "support/client.h"
#include "support/wait.h"

namespace steer_test {

namespace {

// "policy=<name>" in place of a service config: the policy's name is a channel argument.
std::shared_ptr<grpc::Channel> ChannelFor(const std::string& target, const std::string& config) {
  const std::string by_name = "policy=";
  if (config.rfind(by_name, 0) != 0) return MakeChannel(target, config);
  grpc::ChannelArguments arguments = TestArguments();
  arguments.SetLoadBalancingPolicyName(config.substr(by_name.size()));
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

bool SamePorts(const Counts& a, const Counts& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& one, const auto& other) { return one.first == other.first; });
}

}  // namespace

int RunClient(const std::string& target, const std::string& service_config) {
  const auto channel = ChannelFor(target, service_config);
  const grpc::Status status = Call(channel).status;
  if (!status.ok()) {
    std::cout << "failed=" << status.error_code() << " " << status.error_message() << std::endl;
    return 1;
  }
  // Calls until the same backends answer again. On a busy machine a backend may take long to
  // connect, and a policy that uses only one backend never has all of them.
  constexpr int kCalls = 300;
  constexpr std::chrono::seconds kSettled{2};
  const auto backends = static_cast<size_t>(std::count(target.begin(), target.end(), ',')) + 1;
  Counts counts;
  auto changed = std::chrono::steady_clock::now();
  WaitUntil([&] {
    const Counts before = counts;
    counts = CountCalls(channel, kCalls);
    if (!SamePorts(counts, before)) {
      changed = std::chrono::steady_clock::now();
      return false;
    }
    return counts.size() == backends || std::chrono::steady_clock::now() - changed > kSettled;
  });
  std::cout << "policy=" << channel->GetLoadBalancingPolicyName() << std::endl;
  for (const auto& [port, calls] : counts) std::cout << port << "=" << calls << std::endl;
  return 0;
}

}  // namespace steer_test
