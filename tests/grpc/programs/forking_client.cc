// A client that forks: forking_client <children> <target> <service config>. It registers Steer,
// makes a channel, calls it and releases it. Its threads read the statistics all the time, as a
// scrape may. Each child makes a channel, calls it, and reads the statistics. Prints, after
// "parent=" or "child=", the ports that answered the process's calls, separated by blanks. An alarm
// ends a child that hangs.
//
// gRPC has shut down when the process forks. The fork support of 1.51.1 starts the threads of its
// event engine in the parent only, so no channel connects in a child, with any policy.
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <steer/grpc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/client.h"

namespace {

using std::chrono::seconds;

constexpr int kCalls = 24;
// Enough that each of three backends gets at least one user.
constexpr int kUsers = 200;

// Waits until the channel has all connections, without random picks, because the test compares the
// random picks that follow. A policy that connects only for calls gets calls of different users
// until each backend has answered one.
bool Connect(const std::shared_ptr<grpc::Channel>& channel, const std::string& target,
             bool connects_for_calls) {
  const std::size_t backends = std::count(target.begin(), target.end(), ',') + 1;
  std::set<int> connected;
  for (int user = 0; connects_for_calls && connected.size() < backends; ++user) {
    if (user == kUsers) return false;
    const steer_test::CallResult result = steer_test::Call(
        channel, {/*wait_for_ready=*/true, seconds(20), {{"user", std::to_string(user)}}});
    if (!result.status.ok()) return false;
    connected.insert(result.port);
  }
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + seconds(20))) return false;
  std::this_thread::sleep_for(seconds(1));
  return true;
}

// The ports that answered. Empty: a call failed.
std::string Ports(const std::shared_ptr<grpc::Channel>& channel) {
  std::string ports;
  for (int i = 0; i < kCalls; ++i) {
    const steer_test::CallResult result =
        steer_test::Call(channel, {/*wait_for_ready=*/true, seconds(20)});
    if (!result.status.ok()) {
      std::cout << "failed=" << result.status.error_code() << " " << result.status.error_message()
                << std::endl;
      return "";
    }
    ports += (i == 0 ? "" : " ") + std::to_string(result.port);
  }
  return ports;
}

// Makes a channel and calls, prints the ports, and reads the statistics.
bool Say(const std::string& who, const std::string& target, const std::string& service_config) {
  const auto channel = steer_test::MakeChannel(target, service_config);
  const bool is_ring_hash = service_config.find("ring_hash") != std::string::npos;
  if (!Connect(channel, target, is_ring_hash)) return false;
  const std::string ports = Ports(channel);
  std::cout << who << "=" << ports << std::endl;
  return !ports.empty() && steer::StatsJson().find(target) != std::string::npos;
}

// gRPC shuts down on another thread when the last of its objects is gone.
bool WaitForShutdown() {
  for (int i = 0; i < 2000 && grpc_is_initialized() != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return grpc_is_initialized() == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int children = std::atoi(argv[1]);
  const std::string target = argv[2];
  const std::string service_config = argv[3];
  if (!steer::Register().ok()) return 1;
  steer::TrackCalls(true);
  if (!Say("before", target, service_config) || !WaitForShutdown()) return 1;

  std::atomic<bool> stopped{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&stopped] {
      while (!stopped) steer::StatsPrometheus();
    });
  }
  int failed = 0;
  for (int i = 0; i < children; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      // Runs no destructors: the readers are threads of the parent.
      _exit(Say("child", target, service_config) ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return 1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      std::cout << "ended=" << status << std::endl;
      ++failed;
    }
  }
  stopped = true;
  for (std::thread& reader : readers) reader.join();
  if (!Say("parent", target, service_config)) return 1;
  return failed == 0 ? 0 : 1;
}
