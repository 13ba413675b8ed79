//! Pickers that every policy needs while it has nothing to choose from.
//!
//! Must not know: any policy.

use super::{Pick, Picker};
use crate::Status;
use crate::calls::Call;

/// Lets every call wait for the next picker.
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
