//! `steer_status`: what an entry point returns.

use super::text::steer_str;

/// What an entry point returns. The numbers never change; later versions may add some.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_status {
    /// Done; outputs are written.
    STEER_OK = 0,
    /// An argument that must not be NULL is NULL. Nothing was done.
    STEER_NULL_ARGUMENT = 1,
    /// A struct's `struct_size` is below that of version 1, or an array's elements differ in it:
    /// set it to `sizeof` of the struct. Nothing was done.
    STEER_BAD_STRUCT_SIZE = 2,
    /// An argument is out of its documented range. Nothing was done.
    STEER_INVALID_ARGUMENT = 3,
    /// There is no policy of this name: see `steer_policy_name`.
    STEER_UNKNOWN_POLICY = 4,
    /// The config was rejected: the text says which fields and why.
    STEER_INVALID_CONFIG = 5,
    /// There is no such endpoint, or no longer: a late report, which needs no care.
    STEER_UNKNOWN_ENDPOINT = 6,
    /// A callback that the host table must have is NULL.
    STEER_MISSING_CALLBACK = 7,
    /// The config given with an update was parsed for another policy.
    STEER_WRONG_CONFIG = 8,
    /// The engine panicked: a bug of Steer's. The process is as it was, but for this call.
    STEER_PANIC = 9,
    /// A host's callback: the endpoint could not be made. It is left out of the list.
    STEER_ENDPOINT_REFUSED = 10,
    /// A policy's name is taken, or not one that policies can have.
    STEER_BAD_NAME = 11,
    /// A plugin does not fit this engine, or is none. Nothing of it was registered.
    STEER_BAD_PLUGIN = 12,
    /// A plugin's entry failed. Nothing of it was registered.
    STEER_PLUGIN_FAILED = 13,
    /// A policy was registered with the engine, but gRPC does not learn of it any more: a channel or a
    /// server exists.
    STEER_TOO_LATE = 14,
    /// This engine cannot follow that one. Nothing was done.
    STEER_CANNOT_FOLLOW = 15,
}

impl steer_status {
    /// What another engine has returned, which may be a later one's.
    pub(super) fn from_number(number: i32) -> steer_status {
        const ALL: [steer_status; 16] = [
            STEER_OK,
            STEER_NULL_ARGUMENT,
            STEER_BAD_STRUCT_SIZE,
            STEER_INVALID_ARGUMENT,
            STEER_UNKNOWN_POLICY,
            STEER_INVALID_CONFIG,
            STEER_UNKNOWN_ENDPOINT,
            STEER_MISSING_CALLBACK,
            STEER_WRONG_CONFIG,
            STEER_PANIC,
            STEER_ENDPOINT_REFUSED,
            STEER_BAD_NAME,
            STEER_BAD_PLUGIN,
            STEER_PLUGIN_FAILED,
            STEER_TOO_LATE,
            STEER_CANNOT_FOLLOW,
        ];
        let known = usize::try_from(number).ok().and_then(|index| ALL.get(index));
        known.copied().unwrap_or(STEER_INVALID_ARGUMENT)
    }
}

pub use steer_status::*;

/// What a status means and what to do about it, in one sentence.
///
/// Any thread. Takes any number, also one that this version does not know. The text is static.
// Unguarded: it reads a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_status_text(status: i32) -> steer_str {
    const TEXTS: [&str; 16] = [
        "ok",
        "an argument that must not be NULL is NULL",
        "struct_size is below that of ABI version 1: set it to sizeof of the struct",
        "an argument is out of its documented range",
        "no policy of this name: steer_policy_name lists them",
        "the config was rejected",
        "no such endpoint, or no longer",
        "a callback that the host table must have is NULL",
        "the config was parsed for another policy",
        "the engine panicked: please report this with the panic's text from stderr",
        "the host could not make the endpoint",
        "the policy's name is taken or not one that policies can have",
        "the plugin does not fit this engine: compile it with this engine's headers",
        "the plugin's entry failed",
        "too late: gRPC takes no policies once a channel or a server exists",
        "this engine cannot follow the one that serves: steer_last_error says why",
    ];
    let index = usize::try_from(status).unwrap_or(usize::MAX);
    steer_str::borrow(TEXTS.get(index).copied().unwrap_or("a status of a later version"))
}
