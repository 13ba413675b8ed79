// The world's rules, and the generator of events. See model.h.
#include "model.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace steer_testing {
namespace {

constexpr const char* kNotes[] = {"", "no DNS entries found for greeter",
                                  "note with \"quotes\" and \xc3\xa4"};
constexpr int kNoteCount = 3;

absl::Status WithPayload() {
  absl::Status status = absl::UnavailableError("with a payload");
  status.SetPayload("type.example.com/thing", absl::Cord("value"));
  return status;
}

const std::vector<absl::Status>& Statuses() {
  static const auto* statuses = new std::vector<absl::Status>{
      absl::OkStatus(),
      absl::UnavailableError("failed to connect to all addresses"),
      absl::UnavailableError("connection refused"),
      absl::UnavailableError(""),
      absl::DeadlineExceededError("connect timed out"),
      absl::UnknownError("name resolution: \"quoted\" {json: [1,2]}"),
      absl::InternalError("line one\nline two"),
      absl::NotFoundError("\xc3\xa4\xe2\x82\xac not ASCII"),
      absl::InvalidArgumentError("bad bytes \xff\xfe, not UTF-8"),
      absl::ResourceExhaustedError(absl::string_view("zero \0 inside", 13)),
      absl::CancelledError(std::string(3000, 'x')),
      absl::UnauthenticatedError("TLS handshake: %s %n {}"),
      WithPayload(),
  };
  return *statuses;
}

grpc_connectivity_state StateAfterLoss() {
  return reference::kFailedConnectionsWait ? GRPC_CHANNEL_TRANSIENT_FAILURE : GRPC_CHANNEL_IDLE;
}

std::string AddressName(int address) { return std::string(1, static_cast<char>('a' + address)); }

// a, a^2 (weight 2), a' (address arg), a" (list arg)
std::string BackendName(const Backend& backend) {
  return absl::StrCat(AddressName(backend.address),
                      backend.weight != 0 ? absl::StrCat("^", int{backend.weight}) : "",
                      backend.address_arg != 0 ? "'" : "", backend.list_arg != 0 ? "\"" : "");
}

}  // namespace

absl::Status StatusNumber(int number) { return Statuses()[static_cast<size_t>(number)]; }
int StatusCount() { return static_cast<int>(Statuses().size()); }

const char* StateName(grpc_connectivity_state state) {
  switch (state) {
    case GRPC_CHANNEL_IDLE:
      return "IDLE";
    case GRPC_CHANNEL_CONNECTING:
      return "CONNECTING";
    case GRPC_CHANNEL_READY:
      return "READY";
    case GRPC_CHANNEL_TRANSIENT_FAILURE:
      return "TRANSIENT_FAILURE";
    case GRPC_CHANNEL_SHUTDOWN:
      return "SHUTDOWN";
  }
  return "?";
}

std::string BackendKeyName(uint32_t key) { return BackendName(Backend::OfKey(key)); }

std::string ChangeName(const StateChange& change) {
  return absl::StrCat(AddressName(change.slot / 4), (change.slot & 2) != 0 ? "'" : "",
                      (change.slot & 1) != 0 ? "\"" : "", " -> ", StateName(change.state),
                      change.status != 0 ? absl::StrCat(" #", change.status) : "",
                      change.by_wrapper ? " (reported by a wrapper)" : "");
}

//
// Event
//

ResolverUpdate Event::ToResolverUpdate() const {
  ResolverUpdate update;
  update.error = StatusNumber(error);
  update.addresses = addresses;
  update.list_arg = list_arg;
  update.note = kNotes[note];
  return update;
}

std::string Event::ToString() const {
  switch (kind) {
    case kUpdate: {
      std::string text =
          error != 0 ? absl::StrCat("resolver error #", error)
                     : absl::StrCat("addresses [",
                                    absl::StrJoin(addresses, " ",
                                                  [](std::string* out, const Backend& backend) {
                                                    absl::StrAppend(out, BackendName(backend));
                                                  }),
                                    "]");
      if (note != 0) absl::StrAppend(&text, ", note #", note);
      if (held_back != 0) {
        absl::StrAppend(&text, ", first reports held back of:");
        for (int address = 0; address < kMaxAddresses; ++address) {
          if ((held_back >> address & 1) != 0) absl::StrAppend(&text, " ", AddressName(address));
        }
      }
      for (const StateChange& change : late) {
        absl::StrAppend(&text, ", late report: ", ChangeName(change));
      }
      return text;
    }
    case kStateChange:
      return ChangeName(change);
    case kFirstReport:
      return absl::StrCat("first report of ", BackendKeyName(key));
    case kForget:
      return absl::StrCat("pool forgets slot ", key);
    case kExitIdle:
      return "exit idle";
    case kResetBackoff:
      return "reset backoff";
    case kPicks:
      return absl::StrCat(key, " picks");
    case kKinds:
      break;
  }
  return "?";
}

//
// World
//

bool World::IsLegal(const StateChange& change) const {
  const Connection& connection = connections[static_cast<size_t>(change.slot)];
  const grpc_connectivity_state from = connection.state;
  const grpc_connectivity_state to = change.state;
  if (change.by_wrapper) {
    // A wrapper reports only the health of a READY connection. D11: unhealthy does not become
    // CONNECTING.
    if (reference::kPickFirstChildren) {
      return from == GRPC_CHANNEL_READY && to != GRPC_CHANNEL_IDLE &&
             (connection.health != GRPC_CHANNEL_TRANSIENT_FAILURE || to != GRPC_CHANNEL_CONNECTING);
    }
    // After a reported IDLE no policy would request a connection again.
    if (reference::kFailedConnectionsWait) return to != GRPC_CHANNEL_IDLE;
    // Outlier detection reports a failure in any state, and later the state of that time, which may
    // be the last reported one.
    return true;
  }
  // D11: an unhealthy connection becomes healthy before it is lost.
  if (from == GRPC_CHANNEL_READY && connection.health == GRPC_CHANNEL_TRANSIENT_FAILURE)
    return false;
  switch (from) {
    case GRPC_CHANNEL_IDLE:
      return to == GRPC_CHANNEL_CONNECTING;
    case GRPC_CHANNEL_CONNECTING:
      return to == GRPC_CHANNEL_READY || to == GRPC_CHANNEL_TRANSIENT_FAILURE;
    case GRPC_CHANNEL_READY:
      return to == StateAfterLoss();
    case GRPC_CHANNEL_TRANSIENT_FAILURE:
      return to == GRPC_CHANNEL_CONNECTING ||
             (to == GRPC_CHANNEL_IDLE && !reference::kFailedConnectionsWait);
    case GRPC_CHANNEL_SHUTDOWN:
      break;
  }
  return false;
}

void World::Apply(const StateChange& change) {
  Connection& connection = connections[static_cast<size_t>(change.slot)];
  if (change.state == GRPC_CHANNEL_TRANSIENT_FAILURE) connection.last_failure = change.status;
  if (change.by_wrapper && reference::kPickFirstChildren) {
    connection.health = change.state;
    connection.health_status = change.status;
    return;
  }
  connection.state = change.state;
  connection.status = change.status;
  connection.health = GRPC_CHANNEL_READY;
  connection.health_status = 0;
  if (change.state == GRPC_CHANNEL_TRANSIENT_FAILURE) connection.failed = true;
  if (change.state == GRPC_CHANNEL_READY) connection.failed = false;
}

//
// Generator
//

Generator::Generator(uint64_t seed, int max_events) : rng_(seed) {
  // The first numbers of mt19937_64 are similar for similar seeds.
  rng_.discard(16);
  length_ = Chance(20) ? max_events : 1 + Below(max_events);
  universe_ = Chance(30) ? 1 + Below(3) : 2 + Below(kMaxAddresses - 1);
  const std::vector<int> update_percents = {5, 15, 30, 50};
  update_percent_ = OneOf(update_percents);
  const std::vector<int> wrapper_percents = {0, 10, 30};
  wrapper_percent_ = OneOf(wrapper_percents);
  const std::vector<int> success_percents = {5, 30, 60, 90};
  success_percent_ = OneOf(success_percents);
  const std::vector<int> attribute_percents = {0, 10, 40};
  attribute_percent_ = OneOf(attribute_percents);
  const std::vector<int> held_back_percents = {0, 20, 60};
  held_back_percent_ = OneOf(held_back_percents);

  initial_world_.picker_outlives_policy = Chance(50);
  // A pick_first child takes a list of one refused address for an empty list, and requests another
  // one at once, without end.
  if (Chance(10) && !reference::kPickFirstChildren) {
    initial_world_.unusable = 1u << Below(universe_);
  }
  // Other channels of the process may already have connections.
  if (Chance(40)) {
    for (Connection& connection : initial_world_.connections) {
      if (!Chance(50)) continue;
      const std::vector<grpc_connectivity_state> states = {
          GRPC_CHANNEL_CONNECTING, GRPC_CHANNEL_READY, GRPC_CHANNEL_TRANSIENT_FAILURE};
      connection.state = OneOf(states);
      connection.failed = connection.state == GRPC_CHANNEL_TRANSIENT_FAILURE;
      connection.status = connection.failed ? FailureNumber() : 0;
      connection.last_failure = connection.status;
    }
  }
}

Backend Generator::RandomBackend() {
  Backend backend;
  backend.address = static_cast<uint16_t>(Below(universe_));
  if (Chance(attribute_percent_)) backend.weight = static_cast<uint8_t>(Below(3));
  if (Chance(attribute_percent_ / 2)) backend.address_arg = static_cast<uint8_t>(Below(2));
  return backend;
}

void Generator::MutateList(std::vector<Backend>* list) {
  const int size = static_cast<int>(list->size());
  switch (Below(9)) {
    case 0:  // the same again
      break;
    case 1:
    case 2:  // growing
      for (int i = 1 + Below(3); i > 0; --i) {
        list->insert(list->begin() + Below(static_cast<int>(list->size()) + 1), RandomBackend());
      }
      break;
    case 3:
    case 4:  // shrinking
      for (int i = 1 + Below(3); i > 0 && list->size() > 1; --i) {
        list->erase(list->begin() + Below(static_cast<int>(list->size())));
      }
      break;
    case 5:
      std::shuffle(list->begin(), list->end(), rng_);
      break;
    case 6:  // a duplicate
      if (size > 0) list->insert(list->begin() + Below(size + 1), Backend(OneOf(*list)));
      break;
    case 7:  // other attributes
      if (size > 0 && Chance(attribute_percent_ * 2)) {
        Backend& backend = (*list)[static_cast<size_t>(Below(size))];
        if (Chance(60)) {
          backend.weight = static_cast<uint8_t>(Below(3));
        } else {
          backend.address_arg ^= 1;
        }
      }
      break;
    case 8:  // all new
      list->clear();
      for (int i = 1 + Below(universe_); i > 0; --i) list->push_back(RandomBackend());
      break;
  }
  // Duplicates could let the list grow without limit.
  if (list->size() > kMaxAddresses) list->resize(kMaxAddresses);
}

Event Generator::NextUpdate(const World& world) {
  Event event;
  event.kind = Event::kUpdate;
  event.note = Chance(50) ? 0 : Below(kNoteCount);
  if (Chance(8)) {
    event.error = FailureNumber();
  } else if (!Chance(8)) {
    event.addresses = Chance(10) ? earlier_ : list_;
    if (event.addresses.empty()) event.addresses.push_back(RandomBackend());
    for (int i = Below(3); i >= 0; --i) MutateList(&event.addresses);
    event.list_arg = event.addresses[0].list_arg;
    if (Chance(attribute_percent_ / 4)) event.list_arg ^= 1;
    for (Backend& backend : event.addresses) {
      backend.list_arg = event.list_arg;
      // D4: pick_first children may report nothing for long, so one connection serves one backend.
      if (!reference::kPickFirstChildren) continue;
      for (const Backend& first : event.addresses) {
        if (first.address == backend.address && first.address_arg == backend.address_arg) {
          backend.weight = first.weight;
          break;
        }
      }
    }
    if (Chance(held_back_percent_)) event.held_back = static_cast<uint32_t>(rng_());
    earlier_ = list_;
    list_ = event.addresses;
  }
  event.held_back &= (1u << kMaxAddresses) - 1;
  World later = world;
  while (Chance(15)) {
    event.late.push_back(NextChange(later));
    later.Apply(event.late.back());
  }
  return event;
}

StateChange Generator::NextChange(const World& world) {
  StateChange change;
  change.by_wrapper = Chance(wrapper_percent_);
  for (int attempt = 0; attempt < 3; ++attempt) {
    Backend backend = RandomBackend();
    if (Chance(95) && !list_.empty()) backend = OneOf(list_);
    if (Chance(20) && !earlier_.empty()) backend = OneOf(earlier_);
    change.slot = SlotOf(backend);
    // READY connections rarely change, so look for another one.
    if (world.connections[static_cast<size_t>(change.slot)].state != GRPC_CHANNEL_READY) break;
  }
  if (change.by_wrapper) {
    const std::vector<grpc_connectivity_state> states = {GRPC_CHANNEL_IDLE, GRPC_CHANNEL_CONNECTING,
                                                         GRPC_CHANNEL_READY,
                                                         GRPC_CHANNEL_TRANSIENT_FAILURE};
    change.state = OneOf(states);
  } else {
    switch (world.connections[static_cast<size_t>(change.slot)].state) {
      case GRPC_CHANNEL_CONNECTING:
        change.state =
            Chance(success_percent_) ? GRPC_CHANNEL_READY : GRPC_CHANNEL_TRANSIENT_FAILURE;
        break;
      case GRPC_CHANNEL_TRANSIENT_FAILURE:
        change.state = Chance(70) && !reference::kFailedConnectionsWait ? GRPC_CHANNEL_IDLE
                                                                        : GRPC_CHANNEL_CONNECTING;
        break;
      case GRPC_CHANNEL_READY:
        change.state = StateAfterLoss();
        break;
      default:
        change.state = GRPC_CHANNEL_CONNECTING;
        break;
    }
  }
  if (change.state == GRPC_CHANNEL_TRANSIENT_FAILURE) change.status = FailureNumber();
  return change;
}

Event Generator::Next(const World& world, const std::vector<uint32_t>& first_reports_due) {
  // A channel begins with an update.
  if (!updated_ || Chance(update_percent_)) {
    updated_ = true;
    return NextUpdate(world);
  }
  Event event;
  const int dice = Below(100);
  if (!first_reports_due.empty() && dice < 30) {
    event.kind = Event::kFirstReport;
    event.key = OneOf(first_reports_due);
  } else if (dice < 85) {
    event.kind = Event::kStateChange;
    event.change = NextChange(world);
  } else if (dice < 91) {
    event.kind = Event::kPicks;
    event.key = static_cast<uint32_t>(1 + Below(7));
  } else if (dice < 95) {
    event.kind = Event::kForget;
    event.key = static_cast<uint32_t>(Below(kSlots));
  } else if (dice < 98) {
    event.kind = Event::kResetBackoff;
  } else {
    event.kind = Event::kExitIdle;
  }
  return event;
}

}  // namespace steer_testing
