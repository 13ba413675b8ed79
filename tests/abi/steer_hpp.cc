// steer.hpp on the test kit's host: what pickers and policies in C++ are given, and that all of
// theirs is destroyed once. Built with exceptions and RTTI, and without.
//
// Must not know: gRPC. What becomes of exceptions is tested with tests/plugins/hostile/throws.cc.
#include <steer/testkit.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <steer/steer.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

int failures;

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                                        \
    }                                                                                    \
  } while (0)

// Counts those of its kind that are alive.
template <class Kind>
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  static inline std::atomic<int> alive{0};
};

using Kit = std::unique_ptr<steer_testkit, void (*)(steer_testkit*)>;

// A channel with so many READY backends.
Kit ChannelOf(const char* policy, const char* config = "{}", size_t backends = 2) {
  steer_string* error = nullptr;
  steer_testkit* const kit = steer_testkit_new(policy, config, &error);
  if (kit == nullptr) {
    std::fprintf(stderr, "%s\n", steer::TakeString(error).c_str());
    std::exit(EXIT_FAILURE);
  }
  steer_testkit_use(kit, backends);
  steer_testkit_connect_all(kit);
  return Kit(kit, [](steer_testkit* ended) {
    CHECK(steer_testkit_faults(ended) == 0);
    CHECK(ended->log_count == 0);
    CHECK(steer_testkit_free(ended) == 0);
  });
}

// --- Configs ---

struct Settings : Counted<Settings> {
  std::string text;
  bool flag = false;
  int64_t integer = 0;
  double number = 0;
  std::vector<std::string> items;
  std::vector<std::pair<std::string, int64_t>> fields;
};

Settings read;

Settings ReadSettings(const steer::Json& json) {
  Settings settings;
  settings.text = json["text"].Required().String();
  settings.flag = json["flag"].Bool(true);
  settings.integer = json["in"]["teger"].Integer(7, -10, 10);
  settings.number = json["number"].Number(0.5, 0, 1);
  for (const steer::Json& item : json["items"].Items()) settings.items.push_back(item.String("-"));
  for (const auto& [key, value] : json["fields"].Fields()) {
    settings.fields.emplace_back(key, value.Integer());
  }
  if (json["text"].Text() == "\"odd\"") json["text"].Fault("is odd");
  read = settings;
  return settings;
}

int32_t RegisterReader(const steer_api* api) {
  return steer::Picker("reader").Config(ReadSettings).Register(api, [](auto&) {
    return [](const steer::Call&) { return steer::Choice::Queue(); };
  });
}

std::string Parse(const char* json) {
  steer_config* config = nullptr;
  steer_string* error = nullptr;
  steer_config_parse(steer_text("reader"), steer_text(json), &config, &error);
  steer_config_free(config);
  return steer::TakeString(error);
}

void Configs() {
  CHECK(Parse(R"({"text": "a"})").empty());
  CHECK(read.text == "a" && read.flag && read.integer == 7 && read.number == 0.5);
  CHECK(read.items.empty() && read.fields.empty());
  CHECK(
      Parse(R"({"text": "b", "flag": false, "in": {"teger": -10}, "number": 1, "items": ["x", null],
                  "fields": {"k": 1, "l": 2}, "else": 3})")
          .empty());
  CHECK(read.text == "b" && !read.flag && read.integer == -10 && read.number == 1);
  CHECK((read.items == std::vector<std::string>{"x", "-"}));
  CHECK((read.fields == std::vector<std::pair<std::string, int64_t>>{{"k", 1}, {"l", 2}}));

  const std::string prefix = "errors validating reader LB policy config: [";
  CHECK(Parse("{}") == prefix + "field:reader.text error:is missing]");
  CHECK(Parse(R"({"text": "odd"})") == prefix + "field:reader.text error:is odd]");
  CHECK(Parse(R"({"text": 1, "flag": 1, "in": {"teger": 11}, "number": -1, "items": [{}, 2]})") ==
        prefix +
            "field:reader.text error:must be a string; field:reader.flag error:must be true or "
            "false; field:reader.in.teger error:must be from -10 to 10; field:reader.number "
            "error:must be from 0 to 1; field:reader.items[0] error:must be a string; "
            "field:reader.items[1] error:must be a string]");
  CHECK(Parse(R"({"text": "a", "in": 3, "items": {}, "fields": []})") ==
        prefix +
            "field:reader.in error:must be an object; field:reader.items error:must be an array; "
            "field:reader.fields error:must be an object]");
  CHECK(Counted<Settings>::alive == 1);  // `read`
}

// --- What a picker remembers: of the channel, of each backend, of each call ---

struct State : Counted<State> {
  explicit State(steer::Channel c) : channel(c) {}
  steer::Channel channel;
  int pickers = 0;
  std::vector<uint64_t> timers;
};

struct Data : Counted<Data> {
  explicit Data(std::string_view a) : address(a) {}
  std::string address;
  std::atomic<int> started{0}, finished{0}, abandoned{0};
  // The latest end of a call was what Remembering() makes it.
  std::atomic<bool> as_expected{false};
};

// Of which none is copied or moved: each is made in its place.
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

// Chooses the last backend, as a class.
class Last {
 public:
  explicit Last(steer::Build<steer::NotGiven, State>& build) : backends_(build.backends) {}
  Last(const Last&) = delete;

  steer::Choice operator()(const steer::Call&) const {
    Data& data = backends_[backends_.size() - 1].data<Data>();
    // Made, and not used.
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

void Remembering() {
  {
    const Kit kit = ChannelOf("remembering");
    CHECK(remembered.size() == 2 && remembered[1]->address == "ipv4:10.0.0.2:80");
    Data* const second = remembered[1];
    CHECK(Counted<Data>::alive == 2 && Counted<State>::alive == 1);

    // Each call: started and finished, never started, given up, outliving the policy.
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

    // What is remembered of a backend outlives its connection and its place in the list.
    steer_testkit_report(kit.get(), 1, STEER_IDLE);
    CHECK(remembered.size() == 1);
    steer_testkit_connect_all(kit.get());
    const char* const swapped[] = {"ipv4:10.0.0.2:80", "ipv4:10.0.0.3:80"};
    steer_testkit_update_addresses(kit.get(), swapped, 2);
    steer_testkit_connect_all(kit.get());
    CHECK(remembered.size() == 2 && remembered[0] == second && second->finished == 1);

    // One timer was taken back. The other leads to a new picker.
    const int pickers = latest->pickers;
    CHECK(latest->timers.empty());
    steer_testkit_advance(kit.get(), 5000000000);
    CHECK(latest->timers.size() == 1 && latest->pickers == pickers + 1);

    steer_testkit_shutdown(kit.get());
    steer_testkit_abandon(&picked[3]);
    CHECK(Following::Alive::alive == 0);
    // The destructor asks for faults: of a policy that is there.
    kit->policy = nullptr;
  }
  CHECK(Counted<Data>::alive == 0 && Counted<State>::alive == 0);
}

// --- The call ---

int32_t RegisterByCall(const steer_api* api) {
  return steer::Picker("by_call").Register(api, [](auto& build) {
    build.WantPath();
    build.WantHeader("to");
    build.WantRequestHash();
    return [last = build.backends.size() - 1](const steer::Call& call) {
      if (call.RequestHash() == 7) return steer::Choice::Complete(0);
      if (call.path() == "/drop") return steer::Choice::Drop(steer::Code::kUnavailable, "dropped");
      if (call.path() == "/queue") return steer::Choice::Queue();
      const auto to = call.Header("to");
      if (!to) return steer::Choice::Fail(steer::Code::kUnavailable, "nowhere to go");
      if (call.Header("undeclared")) return steer::Choice::Fault("a header that was not declared");
      call.AddHeader("went", *to);
      return steer::Choice::Complete(*to == "first" ? 0 : last);
    };
  });
}

void Calls() {
  const Kit kit = ChannelOf("by_call");
  const char* const headers[] = {"to", "first", "undeclared", "x", nullptr};
  steer_testkit_call call = {"/", headers, nullptr, 0, 0};
  const steer_testkit_pick first = steer_testkit_pick_one(kit.get(), &call);
  CHECK(first.kind == STEER_PICK_COMPLETE && first.backend == 0 && first.added_count == 1);
  CHECK(first.added[0].name == std::string("went") && first.added[0].value == std::string("first"));
  call.headers = nullptr;
  const steer_testkit_pick failed = steer_testkit_pick_one(kit.get(), &call);
  CHECK(failed.kind == STEER_PICK_FAIL && failed.code == 14);
  CHECK(failed.message == std::string("nowhere to go"));
  call.path = "/drop";
  CHECK(steer_testkit_pick_one(kit.get(), &call).kind == STEER_PICK_DROP);
  call.path = "/queue";
  CHECK(steer_testkit_pick_one(kit.get(), &call).kind == STEER_PICK_QUEUE);
  call.has_request_hash = 1;
  CHECK(steer_testkit_pick_one(kit.get(), &call).kind == STEER_PICK_QUEUE);
  call.request_hash = 7;
  CHECK(steer_testkit_pick_one(kit.get(), &call).kind == STEER_PICK_COMPLETE);
}

// A lambda is told how a call ended; backends are held by copies.
std::unique_ptr<steer::Backends> held;
int ended;

int32_t RegisterLambdas(const steer_api* api) {
  return steer::Picker("lambdas").Register(api, [](auto& build) {
    held = std::make_unique<steer::Backends>(build.backends);
    build.WantMetrics();
    return [count = std::make_shared<int>(0)](const steer::Call&) {
      return steer::Choice::Complete(0, [](const steer::CallEnd& end) {
        // An OrcaLoadReport with cpu_utilization = 0.5.
        CHECK(end.metrics() != nullptr && end.metrics()->cpu_utilization == 0.5);
        ++ended;
      });
    };
  });
}

void Lambdas() {
  {
    const Kit kit = ChannelOf("lambdas");
    steer_testkit_pick picked = steer_testkit_pick_one(kit.get(), nullptr);
    steer_testkit_start(&picked);
    const char report[] = "\x09\0\0\0\0\0\0\xe0\x3f";
    steer_testkit_finish_with(&picked, 0, {report, sizeof report - 1});
    CHECK(ended == 1);
  }
  CHECK(held->size() == 2 && (*held)[1].address() == "ipv4:10.0.0.2:80");
  CHECK((*held)[0].address_count() == 1 && (*held)[0].weight() == 0 && (*held)[0].zone().empty());
  CHECK(!(*held)[0].Text("key") && !(*held)[0].Integer("key"));
  held.reset();
}

// --- A policy ---

// Connects to the first endpoint only.
class FirstOnly final : public steer::Policy, Counted<FirstOnly> {
 public:
  using Alive = Counted<FirstOnly>;
  explicit FirstOnly(steer::PolicyChannel channel) : channel_(channel) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    if (resolved.endpoints.empty()) {
      Drop();
      channel_.PublishFailure(steer::Code::kUnavailable, resolved.config<std::string>());
      return steer::Code::kUnavailable;
    }
    if (endpoint_ != 0 && channel_.Matches(endpoint_, 0)) return steer::Code::kOk;
    Drop();
    channel_.Publish(STEER_CONNECTING);
    endpoint_ = channel_.NewEndpoint(0);
    return steer::Code::kOk;
  }

  void EndpointReport(uint64_t endpoint, steer_state state, steer::Code code,
                      std::string_view message) override {
    if (state == STEER_READY) {
      channel_.Publish(state, {endpoint},
                       [](const steer::Call&) { return steer::Choice::Complete(0); });
    } else if (state == STEER_TRANSIENT_FAILURE) {
      channel_.PublishFailure(code, message);
    } else {
      channel_.Publish(STEER_CONNECTING);
      channel_.Connect(endpoint);
    }
  }

 private:
  void Drop() {
    if (endpoint_ != 0) channel_.Drop(std::exchange(endpoint_, 0));
  }

  steer::PolicyChannel channel_;
  uint64_t endpoint_ = 0;
};

int32_t RegisterFirstOnly(const steer_api* api) {
  return steer::RegisterPolicy(
      api, "first_only", [](const steer::Json& json) { return json["none"].String("none left"); },
      [](steer::PolicyChannel channel) { return std::make_unique<FirstOnly>(channel); });
}

void Policies() {
  {
    const Kit kit = ChannelOf("first_only", R"({"none": "not one"})", 3);
    size_t counts[3];
    CHECK(steer_testkit_distribution(kit.get(), nullptr, 10, counts) == 0 && counts[0] == 10);
    steer_testkit_report(kit.get(), 0, STEER_TRANSIENT_FAILURE);
    CHECK(steer_testkit_pick_one(kit.get(), nullptr).message == std::string("refused"));
    CHECK(steer_testkit_use(kit.get(), 0) == 14);
    CHECK(kit->state == STEER_TRANSIENT_FAILURE && kit->message == std::string("not one"));
    CHECK(FirstOnly::Alive::alive == 1);
  }
  CHECK(FirstOnly::Alive::alive == 0);
  CHECK(steer_testkit_conformance("first_only", "{}", nullptr) == 0);
}

// --- Mistakes, and what they lead to ---

// Without exceptions there is nothing to go on with after a wrong type: only the functions that
// return NULL are tried then.
#if defined(__cpp_exceptions)
constexpr bool kExceptions = true;
#else
constexpr bool kExceptions = false;
#endif

int32_t RegisterMistaken(const steer_api* api) {
  return steer::Picker("mistaken")
      .Config([](const steer::Json& json) { return json["how"].String(); })
      .BackendData(
          [](const steer::NotGiven&, const steer::Backend&) { return std::string("mine"); })
      .OnFault(steer::OnFault::kFail, 3)
      .Register(api, [](auto& build) {
        return [how = build.config, backends = build.backends](const steer::Call&) {
          const steer::Backend first = backends[0];
          if (how == "right") {
            CHECK(first.data<std::string>() == "mine" && first.data<const std::string>() == "mine");
            CHECK(*first.FindData<std::string>() == "mine");
            CHECK(first.FindData<int>() == nullptr && first.FindData<const char*>() == nullptr);
          } else if (how == "wrong type") {
            ++first.data<int>();
          } else if (how == "two choices") {
            auto returned = steer::Choice::Fail(steer::Code::kUnavailable, "first");
            const auto other = steer::Choice::Fail(steer::Code::kAborted, "second");
            return returned;
          }
          return steer::Choice::Complete(0);
        };
      });
}

void Mistakes() {
  CHECK(steer_testkit_pick_one(ChannelOf("mistaken", R"({"how": "right"})").get(), nullptr).kind ==
        STEER_PICK_COMPLETE);
  {
    const Kit kit = ChannelOf("mistaken", R"({"how": "two choices"})");
    for (int i = 0; i < 40; ++i) {
      const steer_testkit_pick picked = steer_testkit_pick_one(kit.get(), nullptr);
      CHECK(picked.code == 14 && picked.message == std::string("first"));
    }
  }
  if (kExceptions) {
    steer_testkit* const kit = steer_testkit_new("mistaken", R"({"how": "wrong type"})", nullptr);
    char why[256];
    steer_testkit_use(kit, 2);
    steer_testkit_connect_all(kit);
    // Three calls may meet it in a minute.
    for (int i = 0; i < 4; ++i) {
      CHECK(!steer_testkit_fallen_back(kit, nullptr, 0));
      CHECK(steer_testkit_pick_one(kit, nullptr).kind == STEER_PICK_FAIL);
      steer_testkit_settle(kit);
    }
    CHECK(steer_testkit_fallen_back(kit, why, sizeof why));
    CHECK(std::string(why).find("Backend::data<T>: T is not what") != std::string::npos);
    // As the picker's author chose, no call goes anywhere.
    steer_testkit_connect_all(kit);
    const steer_testkit_pick closed = steer_testkit_pick_one(kit, nullptr);
    CHECK(closed.kind == STEER_PICK_FAIL && closed.code == 13);
    CHECK(steer_testkit_configure(kit, R"({"how": "right"})", nullptr) == STEER_OK);
    steer_testkit_use(kit, 2);
    steer_testkit_connect_all(kit);
    CHECK(!steer_testkit_fallen_back(kit, nullptr, 0));
    CHECK(steer_testkit_pick_one(kit, nullptr).kind == STEER_PICK_COMPLETE);
    CHECK(steer_testkit_free(kit) == 0);
  }
}

void MovedFrom() {
  steer::Backends empty(nullptr);
  CHECK(empty.empty() && empty.size() == 0);
  {
    const Kit kit = ChannelOf("lambdas");
    steer::Backends from = *held, to = std::move(from);
    CHECK(to.size() == 2 && from.empty());  // NOLINT: what was moved from is empty.
    const steer::Backends copy = from;
    CHECK(copy.empty());
    from = to;
    CHECK(from.size() == 2);
  }
  held.reset();
}

// Refuses every list, and says why; its config is read as another type.
class Refusing final : public steer::Policy {
 public:
  explicit Refusing(steer::PolicyChannel channel) : channel_(channel) {}

  steer::Code Update(const steer::Resolved& resolved) override {
    CHECK(resolved.FindConfig<int>() == nullptr);
    if (resolved.config<std::string>() == "wrong type") resolved.config<int>();
    return channel_.Refuse(steer::Code::kUnavailable, "zone eu-1 has no backend");
  }
  void EndpointReport(uint64_t, steer_state, steer::Code, std::string_view) override {}

 private:
  steer::PolicyChannel channel_;
};

int32_t RegisterRefusing(const steer_api* api) {
  return steer::RegisterPolicy(
      api, "refusing", [](const steer::Json& json) { return json["how"].String(); },
      [](steer::PolicyChannel channel) { return std::make_unique<Refusing>(channel); });
}

void Refusals() {
  {
    const Kit kit = ChannelOf("refusing");
    steer_update update = {};
    steer_string* message = nullptr;
    int32_t code = 0;
    update.struct_size = sizeof update;
    CHECK(steer_policy_update(kit->policy, &update, &code, &message) == STEER_OK);
    CHECK(code == STEER_CODE_UNAVAILABLE);
    CHECK(steer::TakeString(message) == "zone eu-1 has no backend");
  }
  if (kExceptions) {
    steer_testkit* const kit = steer_testkit_new("refusing", R"({"how": "wrong type"})", nullptr);
    char why[256];
    steer_testkit_use(kit, 1);
    CHECK(steer_testkit_fallen_back(kit, why, sizeof why));
    CHECK(std::string(why).find("Resolved::config<T>: T is not what") != std::string::npos);
    CHECK(steer_testkit_free(kit) == 0);
  }
}

int32_t Entry(const steer_api* api) {
  for (const auto& type : {RegisterReader, RegisterRemembering, RegisterByCall, RegisterLambdas,
                           RegisterFirstOnly, RegisterMistaken, RegisterRefusing}) {
    if (const int32_t status = type(api); status != STEER_OK) return status;
  }
  return STEER_OK;
}

}  // namespace

STEER_PLUGIN(steer_hpp_plugin, "steer_hpp", "1.0", Entry)

int main() {
  if (steer_register_plugin(&steer_hpp_plugin) != STEER_OK) {
    std::fprintf(stderr, "%s\n", steer::FromC(steer_last_error()).c_str());
    return EXIT_FAILURE;
  }
  Configs();
  Remembering();
  Calls();
  Lambdas();
  Policies();
  Mistakes();
  MovedFrom();
  Refusals();
  for (const char* policy : {"remembering", "by_call"}) {
    CHECK(steer_testkit_conformance(policy, "{}", nullptr) == 0);
  }
  std::printf("tests/abi, steer.hpp: %s\n", failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
