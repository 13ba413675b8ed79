//! The picker that asks the child's picker again when that has chosen a backend that is starting.
//!
//! Must not depend on: why a backend is starting.

use std::sync::Arc;
use std::time::Duration;

use super::config::SlowStartConfig;
use super::starting::StartingBackend;
use crate::calls::{Call, Wants};
use crate::policy::{GuardedPicker, Helper, Pick, Picker};
use crate::sync::Handle;

/// A pick asks at most this often: it must end soon, also when most backends are starting.
const MOST_PICKS: usize = 3;

/// Thins out the calls of backends that are starting.
pub(super) struct ThinningPicker {
    pub(super) picker: Arc<GuardedPicker>,
    pub(super) starting: Box<[StartingBackend]>,
    /// When the first of all READY backends connected, if all are starting.
    pub(super) first: Option<Duration>,
    pub(super) config: SlowStartConfig,
    pub(super) helper: Arc<dyn Helper>,
}

impl ThinningPicker {
    /// Whether a call to this connection stands.
    fn stands(&self, connection: Handle) -> bool {
        let found = self.starting.iter().find(|backend| backend.connection == connection);
        let Some(backend) = found else { return true };
        let now = self.helper.now();
        let factor = self.config.factor(now.saturating_sub(backend.since));
        let full = self.first.map_or(1.0, |first| self.config.factor(now.saturating_sub(first)));
        self.helper.random() as f64 * full <= factor * u64::MAX as f64
    }
}

impl Picker for ThinningPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        for _ in 1..MOST_PICKS {
            let pick = self.picker.pick(call);
            let chosen = match &pick {
                Pick::Complete(connection) => connection.handle(),
                Pick::Tracked(slot) => slot.call().connection().handle(),
                _ => return pick,
            };
            if self.stands(chosen) {
                return pick;
            }
        }
        self.picker.pick(call)
    }

    fn wants(&self) -> Wants {
        self.picker.wants().clone()
    }
}
