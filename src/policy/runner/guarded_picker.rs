//! A policy's picker, as hosts get it.
//!
//! Must not depend on: how a policy is run, the C ABI.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Status;
use crate::calls::{Call, CallContext, Wants};
use crate::fault::{Panic, describe, raised};
use crate::policy::{ConnectionRotation, Pick, Picker};
use crate::sync::Handle;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The policy that a picker belongs to.
pub(super) trait PickerOwner: CallContext {
    /// The policy's name.
    fn name(&self) -> &str;

    /// The number of policies, and of releases of one, that came before the one in use.
    fn generation(&self) -> u64;

    /// As [`CallContext::data_plane_fault`], for a fault that every call would meet: the policy is
    /// replaced even if its author allows some faults.
    fn lasting_fault(&self, place: &str, panic: Panic, generation: u64);

    /// The same object, for tracked calls.
    fn as_context(self: Arc<Self>) -> Arc<dyn CallContext>;
}

/// A policy's picker, as hosts get it. Contains panics, and maps status codes (gRFC A54).
pub struct GuardedPicker {
    /// Chooses instead of `picker`, if `picker` is only a rotation. This part cannot panic.
    rotation: Option<ConnectionRotation>,
    poisoned: AtomicBool,
    wants: Wants,
    picker: Box<dyn Picker>,
    policy: Arc<dyn PickerOwner>,
    /// The policy's generation that made the picker.
    generation: u64,
}

impl GuardedPicker {
    pub(super) fn new(picker: Box<dyn Picker>, policy: Arc<dyn PickerOwner>) -> GuardedPicker {
        let generation = policy.generation();
        let asked = catch_unwind(AssertUnwindSafe(|| (picker.wants(), picker.rotation())));
        let poisoned = AtomicBool::new(asked.is_err());
        let (wants, rotation) = asked.unwrap_or_else(|panic| {
            policy.lasting_fault("wants or rotation", panic, generation);
            (Wants::default(), None)
        });
        GuardedPicker { rotation, poisoned, wants, picker, policy, generation }
    }

    /// What the picker needs to know of each call.
    pub fn wants(&self) -> &Wants {
        &self.wants
    }

    /// See [`Picker::rotation`].
    pub(in crate::policy) fn rotation(&self) -> Option<&ConnectionRotation> {
        self.rotation.as_ref()
    }

    /// The next connection of a picker that is only a rotation. `None`: call
    /// [`GuardedPicker::pick`].
    #[inline(always)]
    pub fn next_in_rotation(&self) -> Option<Handle> {
        self.rotation.as_ref()?.next_handle()
    }

    /// See [`Picker::as_any`].
    pub fn as_any(&self) -> Option<&dyn Any> {
        self.picker.as_any()
    }

    /// Whether the picker has failed and must not be asked again.
    #[inline(always)]
    pub fn is_poisoned(&self) -> bool {
        // Relaxed: a concurrent pick may fall on either side of the fault.
        self.poisoned.load(Ordering::Relaxed)
    }

    /// See [`Picker::pick`]. A panic fails this call with INTERNAL. Later calls wait for the picker
    /// of the policy that takes over.
    #[inline]
    pub fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        if self.is_poisoned() {
            return Pick::Queue;
        }
        match catch_unwind(AssertUnwindSafe(|| self.picker.pick(call))) {
            Ok(pick) if !pick.needs_check() => pick,
            Ok(pick) => self.check(pick),
            Err(panic) => self.failed(panic),
        }
    }

    /// Finishes a pick that does not just complete.
    // Not inlined, so that the usual path stays small.
    #[inline(never)]
    pub fn check<'a>(&'a self, pick: Pick<'a>) -> Pick<'a> {
        match pick {
            Pick::Tracked(slot) => {
                let backend = slot.call().backend();
                backend.publish(|| {
                    (self.policy.clone().as_context(), self.generation, self.wants.metrics)
                });
                Pick::Tracked(slot)
            }
            Pick::Fault(text) => self.failed(raised("pick", *text)),
            pick => pick.for_data_plane(),
        }
    }

    #[cold]
    fn failed(&self, panic: Panic) -> Pick<'_> {
        let text = format!("{}: {}", self.policy.name(), describe("pick", &panic));
        // With a host that cannot run the runner later, queued calls would wait for ever.
        if self.policy.data_plane_fault("pick", panic, self.generation) {
            // Relaxed: as in `is_poisoned`.
            self.poisoned.store(true, Ordering::Relaxed);
        }
        Pick::fail(Status::internal(text))
    }
}
