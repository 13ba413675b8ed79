// The data of a picker: about the channel, about each backend, about each call.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "checks.h"

namespace steer_hpp_test {

struct State : Counted<State> {
  explicit State(steer::Channel c) : channel(c) {}
  steer::Channel channel;
  int pickers = 0;
  std::vector<uint64_t> timers;
  // Of the latest picker: the addresses of all backends, '+' behind those that are READY.
  std::string all;
};

// All backends of a picker's list, as State::all.
std::string Describe(const steer::Backends& ready) {
  std::string text;
  const steer::Backends all = ready.All();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto index = all.IndexOfReady(i);
    CHECK(index.has_value() == (all.State(i) == STEER_READY));
    CHECK(!index || ready[*index].get() == all[i].get());
    text += all[i].address();
    if (index) text += '+';
  }
  CHECK(all.All().empty() && ready.State(0) == STEER_READY && ready.IndexOfReady(0) == 0);
  return text;
}

struct Data : Counted<Data> {
  explicit Data(std::string_view a) : address(a) {}
  std::string address;
  std::atomic<int> started{0}, finished{0}, abandoned{0};
  // Whether the latest end of a call was as CheckData() made it.
  std::atomic<bool> as_expected{false};
};

// Made in place: never copied or moved.
static_assert(!std::is_copy_constructible_v<Data> && !std::is_move_constructible_v<Data>);

class Following final : public steer::TrackedCall, Counted<Following> {
 public:
  using Alive = Counted<Following>;
  explicit Following(Data& data) : data_(data) {}
  void Started() override { ++data_.started; }
  void Finished(const steer::CallEnd& end) override {
    if (end.finished()) {
      data_.as_expected = end.code() == steer::Code::kNotFound && !end.ok() &&
                          end.latency() == std::chrono::nanoseconds(500) && end.message().empty() &&
                          end.metrics() == nullptr;
      ++data_.finished;
    } else {
      ++data_.abandoned;
    }
  }

 private:
  Data& data_;
};

// A picker that is a class. Chooses the last backend.
class Last {
 public:
  explicit Last(steer::Build<steer::NotGiven, State>& build) : backends_(build.backends) {}
  Last(const Last&) = delete;

  steer::Choice operator()(const steer::Call&) const {
    Data& data = backends_[backends_.size() - 1].data<Data>();
    // A choice that is not returned.
    (void)steer::Choice::Complete(0, std::make_unique<Following>(data));
    return steer::Choice::Complete(backends_.size() - 1, std::make_unique<Following>(data));
  }

 private:
  const steer::Backends backends_;
};

State* latest;
std::vector<Data*> remembered;

int32_t RegisterRemembering(const steer_api* api) {
  return steer::Picker("remembering")
      .ChannelState([](steer::Channel channel) { return State(channel); })
      .BackendData([](State&, const steer::Backend& backend) { return Data(backend.address()); })
      .Timer([](State& mine, uint64_t timer) {
        mine.timers.push_back(timer);
        mine.channel.Rebuild();
      })
      .Register(api, [](steer::Build<steer::NotGiven, State>& build) {
        latest = &build.state;
        latest->all = Describe(build.backends);
        ++build.state.pickers;
        if (build.state.pickers == 1) {
          build.channel.CancelTimer(build.channel.StartTimer(std::chrono::seconds(1)));
          build.channel.StartTimer(std::chrono::seconds(2));
        }
        remembered.clear();
        for (size_t i = 0; i < build.backends.size(); ++i) {
          remembered.push_back(&build.backends[i].data<Data>());
        }
        return Last(build);
      });
}

void CheckData() {
  {
    const Kit kit = ChannelOf("remembering");
    CHECK(remembered.size() == 2 && remembered[1]->address == "ipv4:10.0.0.2:80");
    Data* const second = remembered[1];
    CHECK(Counted<Data>::alive == 2 && Counted<State>::alive == 1);

    // One call each: started and finished, never started, abandoned, longer than the policy.
    steer_testkit_pick picked[4];
    for (steer_testkit_pick& pick : picked) {
      pick = steer_testkit_pick_one(kit.get(), nullptr);
      CHECK(pick.kind == STEER_PICK_TRACKED && pick.backend == 1);
    }
    CHECK(Following::Alive::alive == 4);
    steer_testkit_start(&picked[0]);
    steer_testkit_advance(kit.get(), 500);
    steer_testkit_finish(&picked[0], 5);
    CHECK(second->as_expected);
    steer_testkit_abandon(&picked[1]);
    steer_testkit_start(&picked[2]);
    steer_testkit_abandon(&picked[2]);
    CHECK(Following::Alive::alive == 1);
    CHECK(second->started == 2 && second->finished == 1 && second->abandoned == 2);

    // The data of a backend outlives its connection and its place in the list.
    steer_testkit_report(kit.get(), 1, STEER_IDLE);
    CHECK(remembered.size() == 1);
    CHECK(latest->all == "ipv4:10.0.0.1:80+ipv4:10.0.0.2:80");
    steer_testkit_connect_all(kit.get());
    const char* const swapped[] = {"ipv4:10.0.0.2:80", "ipv4:10.0.0.3:80"};
    steer_testkit_update_addresses(kit.get(), swapped, 2);
    steer_testkit_connect_all(kit.get());
    CHECK(remembered.size() == 2 && remembered[0] == second && second->finished == 1);

    // One timer was cancelled. The other makes a new picker.
    const int pickers = latest->pickers;
    CHECK(latest->timers.empty());
    steer_testkit_advance(kit.get(), 5000000000);
    CHECK(latest->timers.size() == 1 && latest->pickers == pickers + 1);

    // A wake from another thread comes to the timer's function.
    const steer::HeldChannel held(latest->channel);
    std::thread([&] { CHECK(held.Wake() && held.Wake()); }).join();
    steer_testkit_advance(kit.get(), 0);
    CHECK(latest->timers.size() == 2 && latest->timers[1] == 0 && latest->pickers == pickers + 2);

    steer_testkit_shutdown(kit.get());
    CHECK(!held.Wake() && held.StartTimer(std::chrono::seconds(1)) == 0);
    steer_testkit_abandon(&picked[3]);
    CHECK(Following::Alive::alive == 0);
    // The kit's deleter reads the faults, and takes NULL.
    kit->policy = nullptr;
  }
  CHECK(Counted<Data>::alive == 0 && Counted<State>::alive == 0);
}

}  // namespace steer_hpp_test
