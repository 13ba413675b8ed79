//! The config field `failureCodes`: the statuses that count as failures of a backend.
//!
//! Must not depend on: what a failure leads to.

use serde_json::Value;

use crate::Code;
use crate::load::FailureCodes;
use crate::policy::Fields;

const FIELD: &str = "failureCodes";

/// Reads the field: a list of names or numbers, as `retryableStatusCodes` in gRPC's service config.
pub(super) fn parse(fields: &mut Fields<'_>) -> FailureCodes {
    if !fields.has(FIELD) {
        return FailureCodes::default();
    }
    let values: Vec<Value> = fields.read(FIELD, Vec::new());
    let mut codes = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match code(value) {
            Some(code) => codes.push(code),
            None => fields.fault(
                &format!("{FIELD}[{index}]"),
                format!(
                    "expected the name or the number of a status that is not OK, found {value}"
                ),
            ),
        }
    }
    FailureCodes::new(&codes)
}

fn code(value: &Value) -> Option<Code> {
    let is_it = |code: &Code| match value {
        Value::String(name) => name.eq_ignore_ascii_case(code.name()),
        value => value.as_i64() == Some(*code as i64),
    };
    Code::ALL.into_iter().find(is_it).filter(|code| *code != Code::Ok)
}
