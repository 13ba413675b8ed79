//! Faults of a config.

use super::*;

#[test]
fn every_fault_of_a_config_is_reported() {
    let config = json!({
        "enableOobLoadReport": "yes", "oobReportingPeriod": 10, "blackoutPeriod": "-1s",
        "weightExpirationPeriod": "x", "weightUpdatePeriod": [], "errorUtilizationPenalty": -0.5,
        "metricNamesForComputingUtilization": ["cpu", 5, "named_metrics.x"],
        "weights": {"a": 0, "b": "many", "c": -1, "d": 1, "10.0.0.1:80": 1, "ipv4:10.0.0.1:80": 2},
    });
    let fault = Channel::config_fault(POLICY, config);
    let expected = [
        "enableOobLoadReport error:expected true or false, found \"yes\"",
        "oobReportingPeriod error:invalid duration 10: expected one such as \"10s\"",
        "blackoutPeriod error:must not be negative",
        "weightExpirationPeriod error:invalid duration \"x\": expected one such as \"10s\"",
        "weightUpdatePeriod error:invalid duration []: expected one such as \"10s\"",
        "errorUtilizationPenalty error:must be a number that is not negative",
        "metricNamesForComputingUtilization[0] error:unsupported metric name \"cpu\"",
        "metricNamesForComputingUtilization[1] error:unsupported metric name 5",
        "weights[\"a\"] error:must be a number above 0",
        "weights[\"b\"] error:must be a number above 0",
        "weights[\"c\"] error:must be a number above 0",
        "weights[\"ipv4:10.0.0.1:80\"] error:the same address is named already",
    ];
    let expected = expected.map(|fault| format!("field:{POLICY}.{fault}")).join("; ");
    assert_eq!(fault, format!("errors validating {POLICY} LB policy config: [{expected}]"));
}
