// Reports a server's load with the answer of a call, by ORCA (gRFC A51): a serialised
// OrcaLoadReport in the trailer endpoint-load-metrics-bin, for steer_weighted_round_robin. Writes
// the trailer itself: gRPC's CallMetricRecorder of 1.51 has neither calls nor failures per
// second, 1.46 has no recorder, and a recorder would replace what steer/server_load.hpp adds to the
// trailer.
//
// Must not depend on: how the load is measured.
#ifndef STEER_GAIN_LOAD_REPORT_H
#define STEER_GAIN_LOAD_REPORT_H

#include <grpcpp/grpcpp.h>

#include "load.h"
#include "orca_load_report.pb.h"

namespace gain {

inline void ReportLoad(const Load::Report& load, grpc::CallbackServerContext& context) {
  OrcaLoadReport report;
  report.set_rps_fractional(load.qps);
  report.set_eps(load.eps);
  report.set_application_utilization(load.utilization);
  context.AddTrailingMetadata("endpoint-load-metrics-bin", report.SerializeAsString());
}

}  // namespace gain

#endif  // STEER_GAIN_LOAD_REPORT_H
