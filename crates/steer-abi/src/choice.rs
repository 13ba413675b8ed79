//! `steer_choice`: the result of a custom picker's `pick`.

/// The kind of a choice.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_choice_kind {
    /// Send the call to the backend with the index `value`.
    STEER_CHOICE_COMPLETE = 0,
    /// Let the call wait for the next picker.
    STEER_CHOICE_QUEUE = 1,
    /// Fail the call, unless it waits for ready. Made by `steer_api.fail` only.
    STEER_CHOICE_FAIL = 2,
    /// Fail the call in any case, and do not retry it. Made by `steer_api.drop` only.
    STEER_CHOICE_DROP = 3,
    /// As COMPLETE, and report the call's start and end to the picker. Made by
    /// `steer_api.complete_tracked` only.
    STEER_CHOICE_TRACKED = 4,
    /// The picker is broken. Made by `steer_api.fault` only.
    STEER_CHOICE_FAULT = 5,
    /// Leave the call to the picker of the child with the index `value` in
    /// `steer_publication.children`. Since version 10.
    STEER_CHOICE_CHILD = 6,
    /// As CHILD, and report the call's start and end to the picker. Made by
    /// `steer_api.child_tracked` only. Since version 10.
    STEER_CHOICE_CHILD_TRACKED = 7,
}

/// A picker's choice. It returns in two registers, and this struct never grows. A choice that is
/// not as documented is a fault: the call fails with INTERNAL, and `on_fault` decides about the
/// policy.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct steer_choice {
    /// A `steer_choice_kind`.
    pub kind: i64,
    /// With STEER_CHOICE_COMPLETE, an index into the picker's backends. With STEER_CHOICE_CHILD, an
    /// index into its children. Otherwise for the engine.
    pub value: u64,
}
