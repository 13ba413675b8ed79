// gRPC's log.
//
// Differs between gRPC versions: up to 1.65 gpr_log, from 1.66 on grpc_absl_log.
//
// Must not depend on: the engine, what is logged.
#ifndef STEER_SHIM_GENERATION_LOG_H
#define STEER_SHIM_GENERATION_LOG_H

#include <grpc/support/log.h>

#include <string>

#include "base.h"

namespace steer::shim {

// `Severity` is a parameter so that compilers look both names up when the function is used.
template <typename Severity>
auto Write(Severity severity, const char* text, Preferred)
    -> decltype(grpc_absl_log(__FILE__, __LINE__, severity, text)) {
  grpc_absl_log(__FILE__, __LINE__, severity, text);
}
template <typename Severity>
void Write(Severity severity, const char* text, Fallback) {
  gpr_log(__FILE__, __LINE__, severity, "%s", text);
}

// Any thread.
inline void Log(gpr_log_severity severity, const std::string& text) {
  // gRPC logs nothing before it is initialised, except after this.
  gpr_log_verbosity_init();
  Write(severity, text.c_str(), Preferred());
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_LOG_H
