//! The time and the random numbers of pickers.
//!
//! A picker that compares backends needs them for each call. Nearly every host leaves both to the
//! engine. Then a reading is not passed through the helper and the host: that saves 20 instructions
//! each time.
//!
//! Must not depend on: what they are used for.

use std::sync::Arc;

use super::Helper;
use crate::sync::{Clock, Nanos, random};

/// The clock and the random numbers of a policy's host. Any thread.
pub(crate) struct Sources {
    /// Whom to ask. `None`: they are the engine's own.
    helper: Option<Arc<dyn Helper>>,
}

impl Sources {
    /// Those of this helper.
    pub(crate) fn of(helper: &Arc<dyn Helper>) -> Sources {
        Sources { helper: (!helper.has_engine_sources()).then(|| Arc::clone(helper)) }
    }

    /// See [`Helper::now`].
    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match &self.helper {
            None => Clock::global().nanos(),
            Some(helper) => helper.now().into(),
        }
    }

    /// See [`Helper::random`].
    #[inline]
    pub(crate) fn random(&self) -> u64 {
        match &self.helper {
            None => random(),
            Some(helper) => helper.random(),
        }
    }
}
