//! `steer_engine`: the functions of one copy of Steer's engine for the other copies in its process.

use std::mem::offset_of;

use steer_abi::{steer_api, steer_picker_type, steer_plugin, steer_policy_type, steer_str};

use crate::ffi::steer_string;
use crate::ffi::versioned::Versioned;

/// One engine, for the other copies of Steer in its process. Static. No function pointer in it is
/// NULL. Each function concerns this engine alone, and does what the function of its name does.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct steer_engine {
    /// `sizeof(steer_engine)`, as this engine knows it.
    pub struct_size: usize,
    /// The number that `steer_abi_version` returns.
    pub abi_version: u32,
    /// 0.
    pub reserved: u32,
    /// The text that `steer_version` returns.
    pub version: steer_str,
    /// The path of the library or program that contains the engine.
    pub place: steer_str,
    /// The table that `steer_api_get` returns.
    pub api: *const steer_api,
    /// `[any thread]`
    /// As `steer_register_plugin`.
    pub register_plugin: Option<unsafe extern "C" fn(plugin: *const steer_plugin) -> i32>,
    /// `[any thread]`
    /// As `steer_register_picker`.
    pub register_picker: Option<unsafe extern "C" fn(kind: *const steer_picker_type) -> i32>,
    /// `[any thread]`
    /// As `steer_register_policy`.
    pub register_policy: Option<unsafe extern "C" fn(kind: *const steer_policy_type) -> i32>,
    /// `[any thread]`
    /// As `steer_load_plugin`.
    pub load_plugin: Option<unsafe extern "C" fn(path: steer_str) -> i32>,
    /// `[any thread]`
    /// As `steer_load_plugins`. Each call returns the result of the first one.
    pub load_plugins: Option<unsafe extern "C" fn() -> i32>,
    /// `[any thread]`
    /// As `steer_last_error`.
    pub last_error: Option<unsafe extern "C" fn() -> steer_str>,
    /// `[any thread]`
    /// As `steer_policy_name`.
    pub policy_name:
        Option<unsafe extern "C" fn(index: usize, name: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_json`.
    pub stats_json: Option<unsafe extern "C" fn(text: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_prometheus`.
    pub stats_prometheus: Option<unsafe extern "C" fn(text: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_track_calls`.
    pub stats_track_calls: Option<unsafe extern "C" fn(on: i32)>,
    /// `[any thread]`
    /// As `steer_string_text`.
    pub string_text: Option<unsafe extern "C" fn(string: *const steer_string) -> steer_str>,
    /// `[any thread]`
    /// As `steer_string_free`.
    pub string_free: Option<unsafe extern "C" fn(string: *mut steer_string)>,
    /// `[any thread]`
    /// As `steer_take_over`. Since ABI version 7.
    pub take_over: Option<unsafe extern "C" fn(settings: steer_str) -> i32>,
    /// `[any thread]`
    /// As `steer_take_over_environment`. Since ABI version 7.
    pub take_over_environment: Option<unsafe extern "C" fn() -> i32>,
    /// `[any thread]`
    /// As `steer_taken_name`. Since ABI version 7.
    pub taken_name: Option<
        unsafe extern "C" fn(
            index: usize,
            name: *mut *mut steer_string,
            policy: *mut *mut steer_string,
        ) -> i32,
    >,
}

// SAFETY: it has static texts, a static table and functions for any thread.
unsafe impl Send for steer_engine {}
// SAFETY: as for Send.
unsafe impl Sync for steer_engine {}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_engine {
    const FIRST_SIZE: usize = offset_of!(steer_engine, string_free) + size_of::<usize>();
}
