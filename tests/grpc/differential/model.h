// The shared world of the differential test: backends, the states of their connections, and random
// but legal sequences of events.
//
// Must not depend on: policies, or what they should do. What is legal depends on the gRPC version
// that the policies run in; see reference.h.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_MODEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_MODEL_H_

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fake_channel.h"
#include "reference.h"

namespace steer_testing {

// Few, so that random events often hit the same backends.
constexpr int kMaxAddresses = 12;
// One connection for each address and each choice of two channel args.
constexpr int kSlots = kMaxAddresses * 4;

// The connection that a backend uses. As in gRPC's subchannel pool, one connection serves all
// subchannels of an address with the same channel args. Resolver attributes make no difference.
inline int SlotOf(const Backend& backend) {
  return backend.address * 4 + (backend.address_arg != 0 ? 2 : 0) + (backend.list_arg != 0 ? 1 : 0);
}

// How a status shows the payload that one of those below has.
inline constexpr char kPayloadText[] = " [type.example.com/thing='value']";
// The statuses of reports and resolver errors, by number. Number 0 is OK.
absl::Status StatusNumber(int number);
int StatusCount();
// Short names for messages: "b^2" is backend b with weight attribute 2.
std::string BackendKeyName(uint32_t key);
const char* StateName(grpc_connectivity_state state);

struct Connection {
  grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
  int status = 0;  // not 0 only in TRANSIENT_FAILURE
  // What a wrapper reports about a READY connection, where it does not replace the state.
  grpc_connectivity_state health = GRPC_CHANNEL_READY;
  int health_status = 0;
  // Whether it has failed since it was READY, and the status number of its last failure.
  bool failed = false;
  int last_failure = 0;
};

// A connection changes its state, or a wrapper (client-side health checking, outlier detection)
// reports that it did.
struct StateChange {
  int slot = 0;
  grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
  int status = 0;
  bool by_wrapper = false;
};

std::string ChangeName(const StateChange& change);

struct Event {
  enum Kind {
    kUpdate,       // the resolver has a result
    kStateChange,  // a backend changes its state
    kFirstReport,  // a first report that an update held back arrives
    kForget,       // the pool drops an unused connection
    kExitIdle,
    kResetBackoff,
    kPicks,
    kKinds
  };
  Kind kind = kPicks;

  // kUpdate
  int error = 0;  // status number; 0 if there are addresses
  std::vector<Backend> addresses;
  uint8_t list_arg = 0;
  int note = 0;
  // The addresses (one bit each) whose first report waits for a later event.
  uint32_t held_back = 0;
  // Changes during the update: their reports are under way before the policy drops endpoints, and
  // arrive afterwards.
  std::vector<StateChange> late;

  // kStateChange
  StateChange change;

  // kFirstReport: the backend's key. kForget: the slot. kPicks: the number of picks.
  uint32_t key = 0;

  ResolverUpdate ToResolverUpdate() const;
  std::string ToString() const;
};

// What both sides share in one sequence.
struct World {
  std::array<Connection, kSlots> connections;
  // The addresses (one bit each) for which no subchannel can be made.
  uint32_t unusable = 0;
  // Whether a channel releases the last picker only after the policy.
  bool picker_outlives_policy = false;

  // Whether a subchannel can make this transition. Shrinking turns legal events into illegal ones.
  bool IsLegal(const StateChange& change) const;
  void Apply(const StateChange& change);
};

// Makes the events of one sequence. The seed decides its character: few or many addresses, healthy
// or not, and so on.
class Generator {
 public:
  Generator(uint64_t seed, int max_events);

  const World& initial_world() const { return initial_world_; }
  int length() const { return length_; }
  // `first_reports_due`: the keys of the backends whose first report was held back.
  Event Next(const World& world, const std::vector<uint32_t>& first_reports_due);

 private:
  int Below(int n) { return static_cast<int>(rng_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  template <typename T>
  const T& OneOf(const std::vector<T>& items) {
    return items[static_cast<size_t>(Below(static_cast<int>(items.size())))];
  }
  int FailureNumber() { return 1 + Below(StatusCount() - 1); }

  Event NextUpdate(const World& world);
  void MutateList(std::vector<Backend>* list);
  Backend RandomBackend();
  StateChange NextChange(const World& world);

  std::mt19937_64 rng_;
  World initial_world_;
  int length_;
  int universe_;
  int update_percent_;
  int wrapper_percent_;
  int success_percent_;
  int attribute_percent_;
  int held_back_percent_;
  bool updated_ = false;
  std::vector<Backend> list_;
  std::vector<Backend> earlier_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_MODEL_H_
