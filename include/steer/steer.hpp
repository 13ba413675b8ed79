// Custom pickers and custom policies in C++17, as lambdas or classes.
//
//   #include <steer/steer.hpp>
//
//   static int32_t Entry(const steer_api* api) {
//     return steer::Picker("by_zone")
//         .Config([](const steer::Json& json) { return json["zone"].Required().String(); })
//         .Register(api, [](auto& build) {
//           size_t chosen = 0;
//           while (chosen + 1 < build.backends.size() &&
//                  build.backends[chosen].zone() != build.config) ++chosen;
//           return [chosen](const steer::Call&) { return steer::Choice::Complete(chosen); };
//         });
//   }
//   STEER_PLUGIN(by_zone_plugin, "by_zone", "1.0", Entry)
//
// A program that links this passes `by_zone_plugin` to `steer_register_plugin()` before
// `steer::Register()`. `steer_load_plugin()` loads it as a shared library.
//
// Contents, with the header that has it:
//   cpp/base.hpp     Code, View, NotGiven
//   cpp/config.hpp   Json, ChildConfig
//   cpp/backend.hpp  Backend, Backends
//   cpp/metrics.hpp  Metric, Counter, Gauge, Histogram, PluginMetrics
//   cpp/channel.hpp  Channel, HeldChannel
//   cpp/load_report.hpp  LoadReport
//   cpp/call.hpp     Call, CallEnd, TrackedCall, Choice, OnFault, Wants
//   cpp/picker.hpp   Picker, PickerType, Build
//   cpp/policy.hpp   Policy, PolicyChannel, Resolved, RegisterPolicy
// Include only this header. The others are parts of it.
//
// Works without exceptions and without RTTI. With exceptions, those of the user's functions do not
// leave this header: the policy's fault is counted and logged with their text, and round robin
// replaces the policy, unless PickerType::OnFault says otherwise. If the entry throws, the plugin
// is refused. Destructors must not throw.
//
// A library that is compiled with this header has its own copies of the functions, which are
// hidden. The inline namespace names the release, so that types of another release are other types.
//
// Must not include: anything of gRPC.
#ifndef STEER_STEER_HPP
#define STEER_STEER_HPP

#include "steer/cpp/backend.hpp"
#include "steer/cpp/base.hpp"
#include "steer/cpp/call.hpp"
#include "steer/cpp/channel.hpp"
#include "steer/cpp/config.hpp"
#include "steer/cpp/load_report.hpp"
#include "steer/cpp/metrics.hpp"
#include "steer/cpp/picker.hpp"
#include "steer/cpp/policy.hpp"
#include "steer/picker.h"
#include "steer/steer.h"
#include "steer/text.hpp"

#endif  // STEER_STEER_HPP
