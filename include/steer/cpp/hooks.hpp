// Part of steer.hpp, which users include: the hooks that pickers and policies
// share.
#ifndef STEER_CPP_HOOKS_HPP
#define STEER_CPP_HOOKS_HPP

#include <cstdint>
#include <memory>

#include "steer/cpp/base.hpp"
#include "steer/cpp/call.hpp"
#include "steer/cpp/config.hpp"

namespace steer {
inline namespace release_0_1_0 {

namespace detail {

STEER_LOCAL inline void CallStarted(const void*, uint64_t, void* state) {
  Guarded("TrackedCall::Started", [&]() -> int32_t {
    static_cast<TrackedCall*>(state)->Started();
    return 0;
  });
}

STEER_LOCAL inline void CallFinished(const void*, uint64_t, void* state,
                                     const steer_call_end* end) {
  const std::unique_ptr<TrackedCall> call(static_cast<TrackedCall*>(state));
  Guarded("TrackedCall::Finished", [&]() -> int32_t {
    call->Finished(CallEnd(end));
    return 0;
  });
}

// The hook `config_new` of pickers and of policies.
template <class Hooks>
STEER_LOCAL int32_t ConfigNew(void* ctx, const steer_json* json, steer_faults* faults,
                              void** config) {
  return Guarded("the config's function", [&]() -> int32_t {
    bool faulted = false;
    using Config = typename Hooks::Config;
    void* const made = NewTagged<Config>(
        [&] { return Hooks::Of(ctx).config_fn(Json(json, faults, "", &faulted)); });
    if (faulted) {
      FreeTagged<Config>(made);
    } else {
      *config = made;
    }
    return 0;
  });
}

}  // namespace detail

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_HOOKS_HPP
