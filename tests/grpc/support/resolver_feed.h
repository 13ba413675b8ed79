// A name resolver in the hands of the test: it answers what the test feeds it, when the test feeds
// it. This header names no type of gRPC's core; what depends on the gRPC version stands in
// resolver_feed.cc alone.
#ifndef STEER_TESTS_GRPC_SUPPORT_RESOLVER_FEED_H_
#define STEER_TESTS_GRPC_SUPPORT_RESOLVER_FEED_H_

#include <grpcpp/support/status.h>

#include <array>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace steer_test {

// To be called once, before the first channel.
void RegisterFeedResolver();

class ResolverFeed {
 public:
  // What a resolver may know of an address beside itself.
  struct About {
    int weight = 0;
    std::string hash_key;
    std::array<std::string, 3> locality;
    std::map<std::string, std::string> texts;
    std::map<std::string, int> integers;
  };

  struct Result {
    std::vector<int> ports;
    // By port. What this gRPC has no place for is left out (see core_generation.h).
    std::map<int, About> about;
    // In place of an address list.
    grpc::Status error;
    std::string note;
    // Empty: the resolver has no service config, so the channel's default one counts.
    std::string service_config;
  };

  ResolverFeed();
  ~ResolverFeed();

  ResolverFeed(const ResolverFeed&) = delete;
  ResolverFeed& operator=(const ResolverFeed&) = delete;

  // What to create the channel with. One channel at a time.
  std::string target() const;

  // Hands a result to the channel, or keeps it until the channel begins to resolve. A channel that
  // begins anew (after it was IDLE) gets the last one again. The future has whether the load
  // balancing policy accepted it.
  std::future<grpc::Status> Feed(Result result);
  std::future<grpc::Status> FeedPorts(const std::vector<int>& ports);

  // How often the channel has asked for a new resolution.
  int reresolution_requests() const;

  class State;

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_RESOLVER_FEED_H_
