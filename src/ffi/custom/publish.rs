//! `steer_api.publish`: a custom policy's state and picker.

use std::mem::offset_of;
use std::sync::Arc;

use steer_abi::{steer_channel, steer_publication};

use super::channel::{active, hold};
use super::child_picks::ChildPickers;
use super::picker::CustomPicker;
use super::picks::{Hooks, Keeps, Picks};
use super::wants::read_wants;
use crate::calls::Wants;
use crate::endpoints::Connectivity;
use crate::ffi::endpoint::steer_state;
use crate::ffi::last_error::{status_of, text_of, worded_guard};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, plain_array, read};
use crate::policy::{FailPicker, Picker, QueuePicker};
use crate::{Code, Status};

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_publication {
    const FIRST_SIZE: usize = offset_of!(steer_publication, wants) + size_of::<usize>();
}

pub(super) unsafe extern "C" fn publish(
    channel: *const steer_channel,
    publication: *const steer_publication,
) -> i32 {
    let status = worded_guard("steer_api.publish", || {
        // SAFETY: the caller holds the channel, and the publication is readable (rule of
        // `steer_api`).
        status_of(unsafe { try_publish(channel, publication) })
    });
    status as i32
}

/// # Safety
/// `pointer` is NULL or came from the engine, and the caller holds it; `publication` is NULL or
/// readable, and so is the memory that it points to; its picker belongs to the engine from now on.
unsafe fn try_publish(
    pointer: *const steer_channel,
    publication: *const steer_publication,
) -> Result<(), (steer_status, String)> {
    // SAFETY: `publication` is NULL or readable (caller's contract).
    let publication = unsafe { read(publication) }
        .map_err(|status| (status, text_of("steer_publication", status)))?;
    let invalid = |text: String| (STEER_INVALID_ARGUMENT, text);
    // SAFETY: the caller holds the channel (caller's contract).
    let held = unsafe { hold(pointer) };
    let held =
        held.ok_or_else(|| (STEER_NULL_ARGUMENT, text_of("publish", STEER_NULL_ARGUMENT)))?;
    let Some(registered) = held.policy_type.clone() else {
        return Err(invalid("publish: for policies, and this is a picker type's channel".into()));
    };
    let hooks = Hooks::of_policy_type(registered.policy_type());
    // First, so that the picker is freed in each case below.
    let picks = match hooks.filter(|_| !publication.picker.is_null()) {
        Some(hooks) => {
            let keeps = Keeps::Policy(registered, Arc::clone(&held));
            Some(Picks::new(publication.picker, hooks, keeps))
        }
        None if publication.picker.is_null() => None,
        None => return Err(invalid("publish: a picker, and the table has no pick".to_owned())),
    };
    // SAFETY: the caller holds the channel (caller's contract).
    let channel = unsafe { active(pointer, "publish") }.ok_or_else(|| {
        invalid("publish: call it from within one of the policy's serialised hooks".to_owned())
    })?;
    // SAFETY: `children` has `child_count` readable elements (caller's contract).
    let numbers = unsafe { plain_array(publication.children, publication.child_count) }
        .map_err(|status| (status, text_of("steer_publication.children", status)))?;
    let published = |child: &u64| {
        let published = channel.children.published(*child);
        published.ok_or_else(|| invalid(format!("publish: child {child} has published nothing")))
    };
    let children = numbers.iter().map(published).collect::<Result<Vec<_>, _>>()?;
    let first = children.first().filter(|_| publication.state == -1);
    let state = first.map(|first| first.state).or_else(|| state_from_number(publication.state));
    let state = state
        .ok_or_else(|| invalid(format!("publish: there is no state {}", publication.state)))?;
    let status = if let Some(first) = first {
        first.status.clone()
    } else if state == Connectivity::TransientFailure {
        // SAFETY: the message is readable (caller's contract).
        let message = unsafe { publication.message.to_text() }.unwrap_or_default();
        Status::new(Code::from_number(publication.code), message)
    } else {
        Status::OK
    };
    // SAFETY: `endpoints` has `endpoint_count` readable elements (caller's contract).
    let ids = unsafe { plain_array(publication.endpoints, publication.endpoint_count) }
        .map_err(|status| (status, text_of("steer_publication.endpoints", status)))?;
    let connections = channel.endpoints.connections(ids);
    let connections =
        connections.map_err(|id| invalid(format!("publish: endpoint {id} is not READY")))?;
    let wants = if publication.wants.is_null() {
        Wants::default()
    } else {
        // SAFETY: not NULL, so `wants` is readable (caller's contract).
        let wants = unsafe { read(publication.wants) }
            .map_err(|status| (status, text_of("steer_publication.wants", status)))?;
        // SAFETY: the headers of `wants` are readable (caller's contract).
        unsafe { read_wants(&wants) }.map_err(invalid)?
    };
    let picker: Box<dyn Picker> = match picks {
        Some(picks) => {
            let places = match picks.hooks.call_finished {
                Some(_) if !children.is_empty() => channel.children.family.places(),
                _ => Vec::new(),
            };
            let places = places.into_iter().map(|(handle, place)| (handle, u64::from(place)));
            let pickers = children.into_iter().map(|child| child.picker).collect();
            let children = ChildPickers { pickers, places: places.collect() };
            let picker = CustomPicker::new(picks, connections, wants, &channel.calls);
            Box::new(picker.with_children(children))
        }
        None if state == Connectivity::TransientFailure => Box::new(FailPicker(status.clone())),
        None => Box::new(QueuePicker),
    };
    channel.helper.update_state(state, &status, picker);
    Ok(())
}

fn state_from_number(state: i32) -> Option<Connectivity> {
    match state {
        state if state == steer_state::STEER_IDLE as i32 => Some(Connectivity::Idle),
        state if state == steer_state::STEER_CONNECTING as i32 => Some(Connectivity::Connecting),
        state if state == steer_state::STEER_READY as i32 => Some(Connectivity::Ready),
        state if state == steer_state::STEER_TRANSIENT_FAILURE as i32 => {
            Some(Connectivity::TransientFailure)
        }
        _ => None,
    }
}
