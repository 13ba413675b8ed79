// A name resolver that a test controls: it returns the results that the test feeds it, at once.
// This header has no type of gRPC's core; only resolver_feed.cc depends on the gRPC version.
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

// Call it once, before the first channel.
void RegisterFeedResolver();

class ResolverFeed {
 public:
  // What a resolver may add to an address.
  struct About {
    int weight = 0;
    std::string hash_key;
    std::array<std::string, 3> locality;
    std::map<std::string, std::string> texts;
    std::map<std::string, int> integers;
  };

  struct Result {
    std::vector<int> ports;
    // By port. Leaves out what this gRPC version cannot carry (see core_generation.h).
    std::map<int, About> about;
    // If not OK, there is no address list.
    grpc::Status error;
    std::string note;
    // Empty: the resolver has none, so the channel's default service config is used.
    std::string service_config;
  };

  ResolverFeed();
  ~ResolverFeed();

  ResolverFeed(const ResolverFeed&) = delete;
  ResolverFeed& operator=(const ResolverFeed&) = delete;

  // The target of the channel. One channel at a time.
  std::string target() const;

  // Hands a result to the channel, or keeps it until the channel begins to resolve. A channel that
  // resolves again (after it was IDLE) gets the last result again. The future tells whether the
  // policy accepted the result.
  std::future<grpc::Status> Feed(Result result);
  std::future<grpc::Status> FeedPorts(const std::vector<int>& ports);

  // How often the channel has requested re-resolution.
  int reresolution_requests() const;

  class State;

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_RESOLVER_FEED_H_
