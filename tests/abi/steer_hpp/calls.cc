// Calls, lambdas, and copies of backends.
#include <memory>
#include <string>
#include <utility>

#include "checks.h"

namespace steer_hpp_test {

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

void CheckCalls() {
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

// Set by a lambda at a call's end, and by a copy of backends.
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

void CheckLambdas() {
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

void CheckMoves() {
  steer::Backends empty(nullptr);
  CHECK(empty.empty() && empty.size() == 0);
  {
    const Kit kit = ChannelOf("lambdas");
    steer::Backends from = *held, to = std::move(from);
    CHECK(to.size() == 2 && from.empty());  // NOLINT: empty after a move.
    const steer::Backends copy = from;
    CHECK(copy.empty());
    from = to;
    CHECK(from.size() == 2);
  }
  held.reset();
}

}  // namespace steer_hpp_test
