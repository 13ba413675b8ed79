//! The pickers of a policy without READY backends.
//!
//! Must not depend on: any policy.

use super::{Pick, Picker};
use crate::Status;
use crate::calls::Call;

/// Queues every call: it waits for the next picker.
#[derive(Debug)]
pub struct QueuePicker;

impl Picker for QueuePicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Queue
    }
}

/// Fails every call that does not wait for ready.
#[derive(Debug)]
pub struct FailPicker(pub Status);

impl Picker for FailPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        Pick::Fail(&self.0)
    }
}
