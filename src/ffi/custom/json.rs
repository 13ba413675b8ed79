//! `steer_json` and `steer_faults`: a config as `config_new` reads it.
//!
//! Must not depend on: any policy.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ptr;

use serde_json::Value;
use steer_abi::{steer_faults, steer_json, steer_json_kind, steer_str};

use crate::ffi::guard;
use crate::ffi::text::ReadText;
use crate::policy::{ConfigError, Fault};

/// The texts that `json_text` has made on this thread.
struct Texts {
    /// How many configs the thread reads now, one within the other.
    readings: usize,
    made: Vec<String>,
}

thread_local! {
    static TEXTS: RefCell<Texts> = const { RefCell::new(Texts { readings: 0, made: Vec::new() }) };
}

/// While it exists, its thread reads a config.
///
/// A `config_new` may parse another config, as a wrapper does with its child's. So texts are kept
/// until the outermost reading ends: the inner hook may use values of the outer config, too.
pub(super) struct Reading(PhantomData<*const ()>);

impl Reading {
    pub(super) fn new() -> Reading {
        TEXTS.with_borrow_mut(|texts| texts.readings += 1);
        Reading(PhantomData)
    }

    pub(super) fn pointer(&self, value: &Value) -> *const steer_json {
        ptr::from_ref(value).cast()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        TEXTS.with_borrow_mut(|texts| {
            texts.readings -= 1;
            if texts.readings == 0 {
                texts.made = Vec::new();
            }
        });
    }
}

/// Collects the faults of a config.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn pointer(&mut self) -> *mut steer_faults {
        ptr::from_mut(self).cast()
    }

    pub(super) fn into_error(self, policy: &str) -> ConfigError {
        let full = |field: String| match field.as_str() {
            "" => policy.to_owned(),
            field => format!("{policy}.{field}"),
        };
        let faults = self.0.into_iter().map(|fault| Fault { field: full(fault.field), ..fault });
        ConfigError { policy: policy.to_owned(), faults: faults.collect() }
    }
}

/// # Safety
/// `json` is NULL or came from the engine for the current `config_new`.
unsafe fn value<'a>(json: *const steer_json) -> &'a Value {
    // SAFETY: `json` is NULL or a Value of the current `config_new` (caller's contract).
    unsafe { json.cast::<Value>().as_ref() }.unwrap_or(&Value::Null)
}

/// Writes a value, and returns 1 if there is one.
///
/// # Safety
/// `to` is NULL or can be written to.
unsafe fn answer<T>(to: *mut T, found: Option<T>) -> i32 {
    match found {
        Some(found) if !to.is_null() => {
            // SAFETY: not NULL, so `to` can be written to (caller's contract).
            unsafe { to.write(found) };
            1
        }
        _ => 0,
    }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_kind(json: *const steer_json) -> i32 {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let kind = match unsafe { value(json) } {
        Value::Null => steer_json_kind::STEER_JSON_NULL,
        Value::Bool(_) => steer_json_kind::STEER_JSON_BOOL,
        Value::Number(_) => steer_json_kind::STEER_JSON_NUMBER,
        Value::String(_) => steer_json_kind::STEER_JSON_STRING,
        Value::Array(_) => steer_json_kind::STEER_JSON_ARRAY,
        Value::Object(_) => steer_json_kind::STEER_JSON_OBJECT,
    };
    kind as i32
}

pub(super) unsafe extern "C" fn json_text(json: *const steer_json) -> steer_str {
    guard(steer_str::empty(), || {
        // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
        // `steer_api`).
        let text = unsafe { value(json) }.to_string();
        let kept = steer_str::borrow(&text);
        // Moving a String does not move its bytes.
        TEXTS.with_borrow_mut(|texts| texts.made.push(text));
        kept
    })
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_bool(json: *const steer_json, to: *mut i32) -> i32 {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.as_bool().map(i32::from);
    // SAFETY: `to` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(to, found) }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_number(json: *const steer_json, to: *mut f64) -> i32 {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.as_f64();
    // SAFETY: `to` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(to, found) }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_integer(json: *const steer_json, to: *mut i64) -> i32 {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.as_i64();
    // SAFETY: `to` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(to, found) }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_string(json: *const steer_json, to: *mut steer_str) -> i32 {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.as_str().map(steer_str::borrow);
    // SAFETY: `to` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(to, found) }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_size(json: *const steer_json) -> usize {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    match unsafe { value(json) } {
        Value::Array(values) => values.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_at(
    json: *const steer_json,
    index: usize,
) -> *const steer_json {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = match unsafe { value(json) } {
        Value::Array(values) => values.get(index),
        Value::Object(fields) => fields.values().nth(index),
        _ => None,
    };
    found.map_or(ptr::null(), |found| ptr::from_ref(found).cast())
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_key(json: *const steer_json, index: usize) -> steer_str {
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.as_object().and_then(|fields| fields.keys().nth(index));
    found.map_or(steer_str::empty(), |key| steer_str::borrow(key))
}

// Unguarded: it reads a value.
pub(super) unsafe extern "C" fn json_get(
    json: *const steer_json,
    key: steer_str,
) -> *const steer_json {
    // SAFETY: `key` is readable (rule of `steer_api`).
    let Some(key) = (unsafe { key.to_cow() }) else { return ptr::null() };
    // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
    // `steer_api`).
    let found = unsafe { value(json) }.get(&*key);
    found.map_or(ptr::null(), |found| ptr::from_ref(found).cast())
}

pub(super) unsafe extern "C" fn config_fault(
    faults: *mut steer_faults,
    field: steer_str,
    error: steer_str,
) {
    guard((), || {
        // SAFETY: NULL or the Faults of the current `config_new`, which nothing else uses now (rule
        // of `steer_api`).
        let Some(faults) = (unsafe { faults.cast::<Faults>().as_mut() }) else { return };
        // SAFETY: `field` is readable (rule of `steer_api`).
        let field = unsafe { field.to_text() }.unwrap_or_default();
        // SAFETY: `error` is readable (rule of `steer_api`).
        let error = unsafe { error.to_text() }.unwrap_or_default();
        faults.0.push(Fault { field, error });
    });
}
