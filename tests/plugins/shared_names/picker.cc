// A picker in C++, in a library that hides nothing of its own: what is in steer.hpp must be its own
// nevertheless. Built as a plugin, and into a program that exports all of its symbols.
#include <steer/steer.hpp>
#include <vector>

// Both libraries have these, too, and the dynamic linker takes the program's.
struct Kept {
  steer::Backends backends;
  std::vector<steer::Backends> more;
};

steer::Choice NoUser() { return steer::Choice::Fail(steer::Code::kUnavailable, "no user"); }

static int32_t Entry(const steer_api* api) {
  return steer::Picker(NAME)
      .Config([](const steer::Json& json) { return json["header"].String("user"); })
      .Register(api, [](auto& build) {
        build.WantHeader(build.config);
        const Kept kept{build.backends, {build.backends}};
        return [header = build.config, kept](const steer::Call& call) {
          if (!call.Header(header) || kept.more[0].empty()) return NoUser();
          return steer::Choice::Complete(0);
        };
      });
}

STEER_PLUGIN(SYMBOL, NAME, "1.0", Entry)
