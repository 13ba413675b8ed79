// The disturbances of a soak. Every 50 ms each channel gets an address list that was shuffled, has
// grown or has shrunk. Every 100 ms a random server is killed or started. Less often a whole server
// process is killed, and the channel "rotating" gets another policy.
//
// Must not depend on: calls.
#ifndef STEER_TESTS_GRPC_SOAK_TROUBLE_H_
#define STEER_TESTS_GRPC_SOAK_TROUBLE_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "soak/clock.h"
#include "soak/fleet.h"
#include "support/resolver_feed.h"

namespace steer_soak {

// The resolver of one channel.
class Feed {
 public:
  // A policy's name, or kRotating.
  Feed(std::string policy, std::vector<int> ports, uint32_t seed);

  const std::string& policy() const { return policy_; }
  std::string target() const { return feed_.target(); }

  // Shuffles, extends or shortens the list.
  void Change();
  // Lists all servers. The channel "rotating" gets the first of its policies.
  void All();
  // Switches to the next policy or the next settings.
  void NextConfig();

 private:
  void Send();

  const std::string policy_;
  const std::vector<int> ports_;
  std::mt19937 random_;
  // All ports, of which the first size_ are listed.
  std::vector<int> order_;
  size_t size_;
  size_t config_ = 0;
  steer_test::ResolverFeed feed_;
};

class Trouble {
 public:
  Trouble(Fleet* fleet, std::vector<std::unique_ptr<Feed>>* feeds)
      : fleet_(*fleet), feeds_(*feeds) {}

  // Makes disturbances until `until`, on this thread.
  void Make(TimePoint until);

  uint64_t lists() const { return lists_; }
  uint64_t kills() const { return kills_; }
  uint64_t starts() const { return starts_; }
  uint64_t process_kills() const { return process_kills_; }
  uint64_t configs() const { return configs_; }

 private:
  void KillOrStart();
  void KillOrStartProcess();

  Fleet& fleet_;
  std::vector<std::unique_ptr<Feed>>& feeds_;
  std::mt19937 random_{1};
  // Counts over all calls of Make().
  uint64_t tick_ = 0;
  uint64_t lists_ = 0;
  uint64_t kills_ = 0;
  uint64_t starts_ = 0;
  uint64_t process_kills_ = 0;
  uint64_t configs_ = 0;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_TROUBLE_H_
