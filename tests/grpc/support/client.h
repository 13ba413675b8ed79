// Channels and calls as an application makes them, with gRPC's public API only. So it works in
// programs with libgrpc or libgrpc_unsecure, with and without Steer.
#ifndef STEER_TESTS_GRPC_SUPPORT_CLIENT_H_
#define STEER_TESTS_GRPC_SUPPORT_CLIENT_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/wait.h"

namespace steer_test {

// The method that every call of the tests makes.
inline constexpr char kEchoMethod[] = "/steer.test.Echo/Call";

// {"loadBalancingConfig":[{"<policy>":<policy_config>}]<more>}; `more` begins with a comma.
std::string ServiceConfig(const std::string& policy, const std::string& policy_config = "{}",
                          const std::string& more = "");

// Arguments for every test: connections that no other channel shares, and short waits before a lost
// server is tried again.
grpc::ChannelArguments TestArguments();

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const std::string& service_config,
                                           const std::shared_ptr<grpc::ChannelCredentials>&
                                               credentials = grpc::InsecureChannelCredentials(),
                                           grpc::ChannelArguments arguments = TestArguments());

// A name may have several values.
using Metadata = std::multimap<std::string, std::string>;

struct CallOptions {
  bool wait_for_ready = false;
  std::chrono::milliseconds timeout = kPatience;
  // The call's headers.
  Metadata metadata = {};
  // What the call sends.
  std::string request = "hello";
};

struct CallResult {
  grpc::Status status;
  // The port of the backend that answered; 0 when the call failed.
  int port = 0;
  // What the backend sent with the status.
  Metadata trailers;
};

// A started call, with its own completion queue. It is picked on the thread that made the object,
// at once if the channel is READY.
class PendingCall {
 public:
  explicit PendingCall(const std::shared_ptr<grpc::Channel>& channel,
                       const CallOptions& options = {});
  ~PendingCall();

  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  // Whether the call has ended by now.
  bool Done() { return Finish(std::chrono::system_clock::now()); }
  // Waits for the end.
  CallResult Result();
  void Cancel() { context_.TryCancel(); }

 private:
  bool Finish(std::chrono::system_clock::time_point deadline);

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  bool done_ = false;
};

CallResult Call(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options = {});

// How many calls each port answered. Failed calls count for port 0.
using Counts = std::map<int, int>;

// Makes `count` calls one after the other and returns the ports that answered, in order.
std::vector<int> CallPorts(const std::shared_ptr<grpc::Channel>& channel, int count);
Counts CountCalls(const std::shared_ptr<grpc::Channel>& channel, int count);
Counts CountPorts(const std::vector<int>& ports);

// Makes calls until each of `ports` has answered one. Then all of them are READY. Tests that count
// calls begin with it: a backend that is connected first gets all calls until the others are, and
// on a busy machine these are many. Returns false if that does not happen in time.
bool WaitForAnswers(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports);

// Makes calls until, in two rounds in a row, each of `ports` answers exactly once and no other port
// does. Then all of them are READY and in use. Returns false if that does not happen in time.
bool WaitForRotation(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports);

// Makes `count` calls, up to `in_flight` of them at a time, on the calling thread.
struct BatchResult {
  Counts counts;
  grpc::Status first_failure;
};
BatchResult CallBatch(const std::shared_ptr<grpc::Channel>& channel, int count, int in_flight);

// Makes calls from several threads until Stop.
class Load {
 public:
  Load(std::shared_ptr<grpc::Channel> channel, int threads);
  ~Load();

  int calls() const { return calls_; }
  int failures() const { return failures_; }
  // Waits until `count` further calls have ended. Returns false if they do not end in time.
  bool WaitForCalls(int count) const;
  // Waits until exactly `ports` have answered `count` calls in a row that began after this, and
  // until all earlier calls have ended.
  bool WaitForPorts(const std::vector<int>& ports, int count = 100);
  void Stop();
  // One line for each of the first ten failed calls.
  std::string FailureTexts() const;

 private:
  void Run();

  const std::shared_ptr<grpc::Channel> channel_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> calls_{0};
  std::atomic<int> failures_{0};
  mutable std::mutex mutex_;
  Counts window_;
  int window_calls_ = 0;
  // A call counts in a window if it began and ended in it.
  int window_number_ = 0;
  // The number of running calls, by the window in which they began.
  std::map<int, int> running_;
  std::vector<std::string> failure_texts_;
  std::vector<std::thread> threads_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_CLIENT_H_
