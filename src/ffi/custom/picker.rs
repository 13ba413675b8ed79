//! The engine's picker around an author's picker: calls `pick` and checks its choice.
//!
//! Cost of a pick that reads nothing of the call: one call through a pointer and a bounds check, in
//! addition to the author's code.
//!
//! Must not depend on: hosts, how the picker was made.

use std::any::Any;
use std::sync::Arc;

use steer_abi::{steer_call, steer_choice, steer_choice_kind};

use super::call::{EMPTY_CALL, with_call};
use super::child_picks::ChildPickers;
use super::choice::{take_failure, take_fault, take_tracked};
use super::followed_calls::{BackendCalls, FollowedCalls};
use super::picks::{PickHook, Picks};
use crate::calls::{Call, CallEnd, CallListener, TrackedBackend, TrackedSlot, Wants};
use crate::endpoints::Connection;
use crate::ffi::guard;
use crate::policy::{Pick, Picker};
use crate::sync::Handle;

/// The fast path to a table's `pick`, for pickers that read nothing of the call. It is stored
/// beside the picker, so that a pick reads fewer cache lines.
pub(in crate::ffi) struct Direct {
    pick: PickHook,
    picker: Handle,
    handles: Box<[Handle]>,
}

impl Direct {
    /// The fast path to this picker, if the picker reads nothing of the call. It must not outlive
    /// the picker.
    pub(in crate::ffi) fn to(picker: &CustomPicker) -> Option<Direct> {
        (picker.no_call && picker.counted.is_empty() && picker.children.is_empty()).then(|| {
            Direct {
                pick: picker.picks.hooks.pick,
                picker: picker.picks.picker,
                handles: picker.connections.iter().map(Connection::handle).collect(),
            }
        })
    }

    /// The handle of the connection that the picker chooses. An error is a choice that
    /// [`CustomPicker::answer`] handles.
    #[inline(always)]
    pub(in crate::ffi) fn choose(&self) -> Result<Handle, steer_choice> {
        // SAFETY: `pick` allows any thread, the picker is not freed, and the call is static.
        let choice = unsafe { (self.pick)(self.picker.pointer(), &EMPTY_CALL.0) };
        if choice.kind == steer_choice_kind::STEER_CHOICE_COMPLETE as i64 {
            if let Some(handle) =
                usize::try_from(choice.value).ok().and_then(|index| self.handles.get(index))
            {
                return Ok(*handle);
            }
        }
        Err(choice)
    }
}

/// The engine's picker around an author's picker.
pub(in crate::ffi) struct CustomPicker {
    no_call: bool,
    connections: Vec<Connection>,
    wants: Wants,
    picks: Arc<Picks>,
    /// One for each connection, if the table can track calls. Otherwise empty.
    tracked: Box<[Arc<TrackedBackend>]>,
    /// One for each connection, if all calls are counted. Otherwise empty.
    counted: Box<[Arc<TrackedBackend>]>,
    /// Those that it may leave calls to.
    children: ChildPickers,
}

/// Follows a call for the author's picker, and counts it.
struct Followed {
    picks: Arc<Picks>,
    policy: Arc<FollowedCalls>,
    backend: Arc<BackendCalls>,
}

impl CallListener for Followed {
    fn picked(&self, backend: usize, state: Handle) {
        self.policy.note_counted();
        self.backend.picked(backend, state);
    }

    fn wants_start(&self) -> bool {
        self.picks.wants_start()
    }

    fn started(&self, backend: usize, state: Handle) {
        self.picks.started(backend, state);
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        // First, because the author's hook may fail.
        CallListener::finished(&*self.backend, backend, state, end);
        self.picks.finished(backend, state, end);
    }
}

impl CustomPicker {
    pub(super) fn new(
        picks: Arc<Picks>,
        backends: Vec<(Connection, Arc<BackendCalls>)>,
        wants: Wants,
        calls: &Arc<FollowedCalls>,
    ) -> CustomPicker {
        let track = |listener: &dyn Fn(&Arc<BackendCalls>) -> Arc<dyn CallListener>| {
            let backends = backends.iter().enumerate();
            let tracked = backends.map(|(place, (connection, backend))| {
                TrackedBackend::new(connection.clone(), listener(backend), place)
            });
            tracked.collect::<Box<[_]>>()
        };
        let tracked = if picks.hooks.call_finished.is_some() {
            track(&|backend| {
                let (picks, policy) = (Arc::clone(&picks), Arc::clone(calls));
                Arc::new(Followed { picks, policy, backend: Arc::clone(backend) })
            })
        } else {
            Box::default()
        };
        let counted = if calls.counts_all() {
            track(&|backend| Arc::clone(backend) as Arc<dyn CallListener>)
        } else {
            Box::default()
        };
        let connections = backends.into_iter().map(|(connection, _)| connection).collect();
        let (no_call, children) = (wants.no_call(), ChildPickers::default());
        CustomPicker { no_call, connections, wants, picks, tracked, counted, children }
    }

    /// The picker, which may leave calls to the pickers of these children.
    pub(super) fn with_children(mut self, children: ChildPickers) -> CustomPicker {
        self.wants = children.wants(self.wants);
        self.children = children;
        self
    }

    /// Leaves a call to a child, if that is the choice.
    fn left_to_child<'a>(&'a self, choice: steer_choice, call: &Call<'_>) -> Option<Pick<'a>> {
        let is = |kind: steer_choice_kind| choice.kind == kind as i64;
        let picked = if is(steer_choice_kind::STEER_CHOICE_CHILD) {
            self.children.pick(choice.value, call)
        } else if is(steer_choice_kind::STEER_CHOICE_CHILD_TRACKED) {
            match take_tracked(choice.value) {
                None => Err(not_made("CHILD_TRACKED", "child_tracked")),
                Some(_) if self.picks.hooks.call_finished.is_none() => Err(UNHEARD.to_owned()),
                Some(tracked) => self.children.track(&self.picks, tracked, call),
            }
        } else {
            return None;
        };
        Some(picked.unwrap_or_else(|text| Pick::Fault(Box::new(text))))
    }

    fn choose(&self, call: &steer_call) -> steer_choice {
        // SAFETY: `pick` allows any thread, the picker is not freed, and the call is valid during
        // the pick.
        unsafe { (self.picks.hooks.pick)(self.picks.picker.pointer(), call) }
    }

    #[inline(never)]
    fn choose_for(&self, call: &Call<'_>) -> steer_choice {
        with_call(call, self.wants.path, |call| self.choose(call))
    }

    /// Checks a choice, and converts it.
    pub(in crate::ffi) fn answer(&self, choice: steer_choice) -> Pick<'_> {
        let is = |kind: steer_choice_kind| choice.kind == kind as i64;
        fn fault<'a>(text: String) -> Pick<'a> {
            Pick::Fault(Box::new(text))
        }
        if is(steer_choice_kind::STEER_CHOICE_COMPLETE) {
            self.complete(choice.value).unwrap_or_else(fault)
        } else if is(steer_choice_kind::STEER_CHOICE_QUEUE) {
            Pick::Queue
        } else if is(steer_choice_kind::STEER_CHOICE_FAIL) {
            take_failure(choice.value).map_or_else(|| fault(not_made("FAIL", "fail")), Pick::fail)
        } else if is(steer_choice_kind::STEER_CHOICE_DROP) {
            take_failure(choice.value).map_or_else(|| fault(not_made("DROP", "drop")), Pick::drop)
        } else if is(steer_choice_kind::STEER_CHOICE_TRACKED) {
            self.track(choice.value).unwrap_or_else(fault)
        } else if is(steer_choice_kind::STEER_CHOICE_FAULT) {
            fault(take_fault(choice.value).unwrap_or_else(|| not_made("FAULT", "fault")))
        } else {
            fault(format!("returned a choice of the unknown kind {}", choice.kind))
        }
    }

    fn complete(&self, backend: u64) -> Result<Pick<'_>, String> {
        let index = usize::try_from(backend).unwrap_or(usize::MAX);
        if let Some(counted) = self.counted.get(index) {
            return Ok(Pick::tracked(counted));
        }
        let found = self.connections.get(index).map(Pick::Complete);
        found.ok_or_else(|| format!("chose backend {backend} of {}", self.connections.len()))
    }

    fn track(&self, number: u64) -> Result<Pick<'_>, String> {
        let (backend, state) =
            take_tracked(number).ok_or_else(|| not_made("TRACKED", "complete_tracked"))?;
        if self.picks.hooks.call_finished.is_none() {
            return Err(UNHEARD.to_owned());
        }
        match usize::try_from(backend).ok().and_then(|index| self.tracked.get(index)) {
            Some(backend) => Ok(Pick::Tracked(TrackedSlot::new(backend, state))),
            None => {
                // Gives the state back. A fault of that hook is not the fault that is reported
                // here.
                let place = usize::try_from(backend).unwrap_or(usize::MAX);
                guard((), || self.picks.finished(place, state, &CallEnd::Abandoned));
                Err(format!("chose backend {backend} of {}", self.connections.len()))
            }
        }
    }
}

/// The fault of a picker whose tracked calls end unheard.
const UNHEARD: &str = "tracks a call, and its table has no call_finished";

/// The fault of a picker that made up a choice.
fn not_made(kind: &str, function: &str) -> String {
    format!("returned STEER_CHOICE_{kind} that steer_api.{function} did not make")
}

impl Picker for CustomPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let choice = if self.no_call { self.choose(&EMPTY_CALL.0) } else { self.choose_for(call) };
        if choice.kind == steer_choice_kind::STEER_CHOICE_COMPLETE as i64 {
            return self.answer(choice);
        }
        self.left_to_child(choice, call).unwrap_or_else(|| self.answer(choice))
    }

    fn wants(&self) -> Wants {
        self.wants.clone()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
