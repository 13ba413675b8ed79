//! `steer_status`: the result of a function.

use super::text::steer_str;

/// The result of a function. The numbers never change. Later versions may add some. Unless it is
/// STEER_OK, `steer_last_error` has the details.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_status {
    /// Success. Outputs are written.
    STEER_OK = 0,
    /// An argument that must not be NULL is NULL. Nothing was done.
    STEER_NULL_ARGUMENT = 1,
    /// A struct's `struct_size` is below that of version 1, or the elements of an array have
    /// different ones. Set it to `sizeof` of the struct. Nothing was done.
    STEER_BAD_STRUCT_SIZE = 2,
    /// An argument is out of its documented range. Nothing was done.
    STEER_INVALID_ARGUMENT = 3,
    /// There is no policy of this name: see `steer_policy_name`.
    STEER_UNKNOWN_POLICY = 4,
    /// The config was rejected. The text lists the fields and the reasons.
    STEER_INVALID_CONFIG = 5,
    /// There is no such endpoint, or not any more. A late report is harmless.
    STEER_UNKNOWN_ENDPOINT = 6,
    /// A callback that the table requires is NULL.
    STEER_MISSING_CALLBACK = 7,
    /// The config given with an update was parsed for another policy.
    STEER_WRONG_CONFIG = 8,
    /// The engine panicked, which is a bug of Steer. Only this call is affected.
    STEER_PANIC = 9,
    /// For a host's `endpoint_new`: the endpoint could not be made. The engine leaves it out.
    STEER_ENDPOINT_REFUSED = 10,
    /// A policy's name is taken, or is not a valid name for policies.
    STEER_BAD_NAME = 11,
    /// The file is not a plugin, or the plugin does not fit this engine. Nothing was registered.
    STEER_BAD_PLUGIN = 12,
    /// A plugin's entry failed. Nothing was registered.
    STEER_PLUGIN_FAILED = 13,
    /// A policy was registered with the engine, but gRPC cannot learn of it, because a channel or a
    /// server exists already.
    STEER_TOO_LATE = 14,
    /// This engine cannot follow that one. Nothing was done.
    STEER_CANNOT_FOLLOW = 15,
    /// A setting of `steer_take_over` is refused. No name of that list was taken over.
    STEER_CANNOT_TAKE_OVER = 16,
    /// A limit is reached, which the function documents. Nothing was done.
    STEER_TOO_MANY = 17,
}

impl steer_status {
    /// Converts a status of another engine, which may have a later version.
    pub(super) fn from_number(number: i32) -> steer_status {
        const ALL: [steer_status; 18] = [
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
            STEER_CANNOT_TAKE_OVER,
            STEER_TOO_MANY,
        ];
        let known = usize::try_from(number).ok().and_then(|index| ALL.get(index));
        known.copied().unwrap_or(STEER_INVALID_ARGUMENT)
    }
}

pub use steer_status::*;

/// `[any thread]`
/// Returns a status's meaning, and what to do about it, in one sentence. Takes any number, also one
/// that this version does not know. The text is static.
// Unguarded: it reads a constant.
#[unsafe(no_mangle)]
pub extern "C" fn steer_status_text(status: i32) -> steer_str {
    const TEXTS: [&str; 18] = [
        "ok",
        "an argument that must not be NULL is NULL",
        "struct_size is below that of ABI version 1: set it to sizeof of the struct",
        "an argument is out of its documented range",
        "no policy of this name: steer_policy_name lists them",
        "the config was rejected",
        "no such endpoint, or no longer",
        "a callback that the table requires is NULL",
        "the config was parsed for another policy",
        "the engine panicked: please report this with the panic's text from stderr",
        "the host could not make the endpoint",
        "the policy's name is taken, or is not a valid name for policies",
        "the plugin does not fit this engine: compile it with this engine's headers",
        "the plugin's entry failed",
        "too late: gRPC accepts no policies once a channel or a server exists",
        "this engine cannot follow the one that serves: steer_last_error says why",
        "a name of gRPC's policies cannot be taken over in this way: steer_last_error says why",
        "a limit is reached: steer_last_error says which",
    ];
    let index = usize::try_from(status).unwrap_or(usize::MAX);
    steer_str::borrow(TEXTS.get(index).copied().unwrap_or("a status of a later version"))
}
