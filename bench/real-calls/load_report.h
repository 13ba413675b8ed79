// Reports a server's load with the answer of a call, by ORCA (gRFC A51): a serialised
// OrcaLoadReport in the trailer endpoint-load-metrics-bin. Uses gRPC's CallMetricRecorder if that
// supports all fields. The recorder of 1.51 has neither calls nor failures per second, and 1.46 has
// no recorder: with these the program writes the trailer itself.
//
// Must not depend on: how the load is measured.
#ifndef STEER_GAIN_LOAD_REPORT_H
#define STEER_GAIN_LOAD_REPORT_H

#include <grpcpp/grpcpp.h>

#include "load.h"

// gRPC added this header after the recorder supported both fields.
#if __has_include(<grpcpp/ext/server_metric_recorder.h>)
#include <grpcpp/ext/call_metric_recorder.h>
#include <grpcpp/ext/server_metric_recorder.h>

namespace gain {

inline void AllowLoadReports(grpc::ServerBuilder& builder) {
  grpc::ServerBuilder::experimental_type(&builder).EnableCallMetricRecording();
}

inline void ReportLoad(const Load::Report& load, grpc::CallbackServerContext& context) {
  context.ExperimentalGetCallMetricRecorder()
      ->RecordQpsMetric(load.qps)
      .RecordEpsMetric(load.eps)
      .RecordApplicationUtilizationMetric(load.utilization);
}

}  // namespace gain

#else
#include "orca_load_report.pb.h"

namespace gain {

inline void AllowLoadReports(grpc::ServerBuilder&) {}

inline void ReportLoad(const Load::Report& load, grpc::CallbackServerContext& context) {
  OrcaLoadReport report;
  report.set_rps_fractional(load.qps);
  report.set_eps(load.eps);
  report.set_application_utilization(load.utilization);
  context.AddTrailingMetadata("endpoint-load-metrics-bin", report.SerializeAsString());
}

}  // namespace gain

#endif

#endif  // STEER_GAIN_LOAD_REPORT_H
