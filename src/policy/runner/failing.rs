//! The fallback of [`FallbackMode::Failing`](crate::policy::FallbackMode::Failing): keeps the
//! connections and fails every call.
//!
//! Must not depend on: why a policy falls back.

use std::sync::Arc;

use crate::Status;
use crate::policy::{FailPicker, Helper, NoFields, Picker, PickerFactory, Ready};

/// The picker factory. Every call fails with this status.
pub(super) struct FailingPickers(pub(super) Status);

impl PickerFactory for FailingPickers {
    type Config = NoFields;

    fn build(
        &mut self,
        _config: &Arc<NoFields>,
        _ready: &Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        Box::new(FailPicker(self.0.clone()))
    }
}
