// The shared world of the differential test: what backends there are, which states they are in, and
// random but legal sequences of events that happen to them.
//
// Knows nothing of policies, nor of what they should do: the same events would be fair to any
// policy. What is legal depends on the gRPC that the policies run in; see reference.h.

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

constexpr int kMaxAddresses = 12;
constexpr int kSlots = kMaxAddresses * 4;

// The connection that a backend would use. As in gRPC's subchannel pool, one connection serves all
// subchannels of an address, and channel args tell connections apart while resolver attributes do
// not.
inline int SlotOf(const Backend& backend) {
  return backend.address * 4 + (backend.address_arg != 0 ? 2 : 0) + (backend.list_arg != 0 ? 1 : 0);
}

// The statuses that reports and resolver errors carry, by number; number 0 is OK.
absl::Status StatusNumber(int number);
int StatusCount();
// What resolution notes there are.
std::vector<std::string> Notes();
// Short names, for messages: "b^2" is backend b with weight attribute 2.
std::string BackendKeyName(uint32_t key);
const char* StateName(grpc_connectivity_state state);

struct Connection {
  grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
  int status = 0;  // not 0 only in TRANSIENT_FAILURE
  // What a wrapper says of a READY connection, where it does not say it in the place of the state.
  grpc_connectivity_state health = GRPC_CHANNEL_READY;
  int health_status = 0;
  // Whether it has failed since it was READY, and with what it failed last.
  bool failed = false;
  int last_failure = 0;
};

// A connection changes its state, or a wrapper (client-side health checking, outlier detection)
// says that it did.
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
    kForget,       // the pool drops a connection that nobody uses
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
  // The addresses (a bit each) whose first report comes only with a later event.
  uint32_t held_back = 0;
  // Changes that happen while the update is handled: their reports are on their way before the
  // policy drops endpoints, and arrive after it.
  std::vector<StateChange> late;

  // kStateChange
  StateChange change;

  // kFirstReport, kForget: which one; kPicks: how many.
  uint32_t key = 0;

  ResolverUpdate ToResolverUpdate() const;
  std::string ToString() const;
};

// What both sides share during one sequence.
struct World {
  std::array<Connection, kSlots> connections;
  // Addresses (a bit each) for which no subchannel can be made.
  uint32_t unusable = 0;
  // Whether a channel lets go of the last picker only after the policy.
  bool picker_outlives_policy = false;

  // False for a transition that no subchannel makes. Shrinking makes such events out of legal ones.
  bool IsLegal(const StateChange& change) const;
  void Apply(const StateChange& change);
};

// Makes the events of one sequence, with the character (few or many addresses, healthy or not, ...)
// that the seed gives it.
class Generator {
 public:
  Generator(uint64_t seed, int max_events);

  const World& initial_world() const { return initial_world_; }
  int length() const { return length_; }
  // `first_reports_due` are the keys of backends whose first report was held back.
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
