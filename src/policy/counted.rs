//! What leaf policies tell statistics of their backends, and calls that are tracked for the statistics alone:
//! what is put around the pickers of policies that need no call tracking, when somebody wants to see their
//! calls too.
//!
//! Cost: nothing when off. When on, a look-up in a hash table and what tracking costs, for each pick.
//!
//! Must not know: how the picker inside chooses.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Call, CallHooks, Helper, Pick, Picker, TrackedBackend, Wants};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::load::{Observed, PerAddress};
use crate::stats::{self, Describe, Table};
use crate::sync::Handle;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The calls of one policy, as statistics see them.
pub(super) struct Counting {
    calls: PerAddress<Observed<()>>,
    mode: Arc<Mode>,
}

/// Who counts the calls of the picker that was made last. Relaxed everywhere: it is for people.
#[derive(Default)]
struct Mode {
    /// The policy does anyway.
    policy: AtomicBool,
    /// It is done here.
    here: AtomicBool,
}

impl Counting {
    /// For one policy, of whose backends `tellers` can tell.
    pub(super) fn new(helper: &dyn Helper, tellers: Vec<Arc<dyn Describe>>) -> Counting {
        let (calls, mode) = (PerAddress::default(), Arc::<Mode>::default());
        let counted = calls.teller();
        helper.described_by(Arc::new(Teller { tellers, counted, mode: Arc::clone(&mode) }));
        Counting { calls, mode }
    }

    /// What counts the calls to these READY backends; none when they are not to be counted here, as when
    /// the policy's picker does it.
    pub(super) fn of<'a>(
        &mut self,
        policy_counts: bool,
        backends: impl Iterator<Item = (&'a Connection, &'a Arc<EndpointDescriptor>)>,
    ) -> Option<Counted> {
        let here = !policy_counts && stats::tracks_calls();
        self.mode.policy.store(policy_counts, Ordering::Relaxed);
        if self.mode.here.swap(here, Ordering::Relaxed) && !here {
            self.calls.clear();
        }
        if !here {
            return None;
        }
        let backends = backends.enumerate().map(|(place, (connection, descriptor))| {
            let hooks = self.calls.get(descriptor, || Observed::new(())) as Arc<dyn CallHooks>;
            let backend = TrackedBackend::new(connection.clone(), hooks, place);
            (connection.handle(), backend)
        });
        Some(Counted(backends.collect()))
    }

    /// Forgets all but these endpoints.
    pub(super) fn keep(&mut self, endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {
        if self.mode.here.load(Ordering::Relaxed) {
            self.calls.keep(endpoints);
        }
    }
}

struct Teller {
    /// The policy's.
    tellers: Vec<Arc<dyn Describe>>,
    counted: Arc<dyn Describe>,
    mode: Arc<Mode>,
}

impl Describe for Teller {
    fn describe(&self, table: &mut Table) {
        for teller in &self.tellers {
            teller.describe(table);
        }
        if self.mode.policy.load(Ordering::Relaxed) {
            table.calls_tracked();
            return;
        }
        // A policy's counters that its picker does not use say nothing.
        table.forget_calls();
        if self.mode.here.load(Ordering::Relaxed) {
            table.calls_tracked();
            self.counted.describe(table);
        }
    }
}

/// Backends whose calls are counted, by their connections.
pub(super) struct Counted(HashMap<Handle, Arc<TrackedBackend>>);

impl Counted {
    /// The picker, with its calls counted.
    pub(super) fn around(self, picker: Box<dyn Picker>) -> Box<dyn Picker> {
        Box::new(CountedPicker { backends: self.0, picker })
    }
}

struct CountedPicker {
    backends: HashMap<Handle, Arc<TrackedBackend>>,
    picker: Box<dyn Picker>,
}

impl Picker for CountedPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        match self.picker.pick(call) {
            Pick::Complete(connection) => match self.backends.get(&connection.handle()) {
                Some(backend) => Pick::tracked(backend),
                None => Pick::Complete(connection),
            },
            pick => pick,
        }
    }

    fn wants(&self) -> Wants {
        self.picker.wants()
    }
}
