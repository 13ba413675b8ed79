// A picker in C++, in a library that hides no symbols. It must use its own copies of the functions
// of steer.hpp anyway. Built as a plugin, and into a program that exports all of its symbols.
#include <steer/steer.hpp>
#include <vector>

// Both libraries have these, and the dynamic linker uses the program's.
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
