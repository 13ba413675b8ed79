//! `steer_choice`: a picker's answer.

/// The kind of a `steer_choice`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_choice_kind {
    /// Send the call to the backend with the index `value`.
    STEER_CHOICE_COMPLETE = 0,
    /// Let the call wait for the next picker.
    STEER_CHOICE_QUEUE = 1,
    /// Fail the call unless it waits for ready. Only `steer_api.fail` makes it.
    STEER_CHOICE_FAIL = 2,
    /// Fail the call in any case, and do not retry it. Only `steer_api.drop` makes it.
    STEER_CHOICE_DROP = 3,
    /// Send the call to a backend and follow it. Only `steer_api.complete_tracked` makes it.
    STEER_CHOICE_TRACKED = 4,
    /// The picker failed. Only `steer_api.fault` makes it.
    STEER_CHOICE_FAULT = 5,
}

/// A picker's choice, small enough to be returned in two registers. This struct never grows. A
/// choice other than those documented is a fault: the call fails with INTERNAL, and `on_fault` of
/// the picker type decides how the policy continues (by default as round robin).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct steer_choice {
    /// A `steer_choice_kind`.
    pub kind: i64,
    /// With STEER_CHOICE_COMPLETE: an index into the picker's backends. With other kinds: private
    /// to the engine.
    pub value: u64,
}
