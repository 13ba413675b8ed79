//! `steer_json` and `steer_faults`: a config as `config_new` reads it.
//!
//! Must not depend on: any policy.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use serde_json::Value;
use steer_abi::{steer_child_config, steer_faults, steer_json, steer_json_kind, steer_str};

use crate::ffi::guard;
use crate::ffi::text::ReadText;
use crate::policy::{ChildConfig, ConfigError, Fault, Policies};

/// What this thread reads.
struct Readings {
    /// The configs that it reads now, one within the other.
    open: Vec<Asked>,
    /// The texts that `json_text` has made.
    texts: Vec<String>,
}

/// What a `config_new` has asked of its config.
struct Asked {
    /// The config. Only compared.
    config: *const Value,
    /// The fields that it asked for by name. `None`: it asked for all.
    names: Option<BTreeSet<String>>,
}

thread_local! {
    static READINGS: RefCell<Readings> =
        const { RefCell::new(Readings { open: Vec::new(), texts: Vec::new() }) };
}

/// Notes that a value's field of this name was asked for. `None`: all of the value.
fn note_asked(json: *const steer_json, name: Option<&str>) {
    READINGS.with_borrow_mut(|readings| {
        let config = json.cast::<Value>();
        let reading = readings.open.iter_mut().find(|reading| reading.config == config);
        let Some(reading) = reading else { return };
        match (name, &mut reading.names) {
            (Some(name), Some(names)) => _ = names.insert(name.to_owned()),
            (_, names) => *names = None,
        }
    });
}

/// While it exists, its thread reads a config.
///
/// A `config_new` may parse another config, as a wrapper does with its child's. So texts are kept
/// until the outermost reading ends: the inner hook may use values of the outer config, too.
pub(super) struct Reading<'a> {
    config: &'a Value,
    /// Bound to the thread.
    _thread: PhantomData<*const ()>,
}

impl Reading<'_> {
    pub(super) fn new(config: &Value) -> Reading<'_> {
        let asked = Asked { config, names: Some(BTreeSet::new()) };
        READINGS.with_borrow_mut(|readings| readings.open.push(asked));
        Reading { config, _thread: PhantomData }
    }

    pub(super) fn pointer(&self) -> *const steer_json {
        ptr::from_ref(self.config).cast()
    }

    /// The names of the fields that were asked for so far. `None`: perhaps all.
    pub(super) fn asked(&self) -> Option<BTreeSet<String>> {
        READINGS.with_borrow(|readings| readings.open.last()?.names.clone())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        READINGS.with_borrow_mut(|readings| {
            readings.open.pop();
            if readings.open.is_empty() {
                readings.texts = Vec::new();
            }
        });
    }
}

/// Collects the faults of a config, and the configs of children in it.
pub(super) struct Faults<'a> {
    faults: Vec<Fault>,
    children: Vec<Arc<ChildConfig>>,
    /// Those that a child may be of.
    pub(super) policies: &'a dyn Policies,
}

impl<'a> Faults<'a> {
    pub(super) fn new(policies: &'a dyn Policies) -> Faults<'a> {
        Faults { faults: Vec::new(), children: Vec::new(), policies }
    }

    /// Keeps a child's config, whose address is the result, or notes its faults.
    pub(super) fn add_child(
        &mut self,
        parsed: Result<ChildConfig, Vec<Fault>>,
    ) -> *const steer_child_config {
        match parsed {
            Ok(config) => {
                let config = Arc::new(config);
                let pointer = Arc::as_ptr(&config).cast();
                self.children.push(config);
                pointer
            }
            Err(faults) => {
                self.faults.extend(faults);
                ptr::null()
            }
        }
    }

    /// The configs of children, whose addresses stay.
    pub(super) fn take_children(&mut self) -> Vec<Arc<ChildConfig>> {
        std::mem::take(&mut self.children)
    }

    pub(super) fn pointer(&mut self) -> *mut steer_faults {
        ptr::from_mut(self).cast()
    }

    pub(super) fn into_error(self, policy: &str) -> ConfigError {
        let full = |field: String| match field.as_str() {
            "" => policy.to_owned(),
            field => format!("{policy}.{field}"),
        };
        let faults =
            self.faults.into_iter().map(|fault| Fault { field: full(fault.field), ..fault });
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
        note_asked(json, None);
        let kept = steer_str::borrow(&text);
        // Moving a String does not move its bytes.
        READINGS.with_borrow_mut(|readings| readings.texts.push(text));
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

pub(super) unsafe extern "C" fn json_at(
    json: *const steer_json,
    index: usize,
) -> *const steer_json {
    guard(ptr::null(), || {
        note_asked(json, None);
        // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
        // `steer_api`).
        let found = match unsafe { value(json) } {
            Value::Array(values) => values.get(index),
            Value::Object(fields) => fields.values().nth(index),
            _ => None,
        };
        found.map_or(ptr::null(), |found| ptr::from_ref(found).cast())
    })
}

pub(super) unsafe extern "C" fn json_key(json: *const steer_json, index: usize) -> steer_str {
    guard(steer_str::empty(), || {
        note_asked(json, None);
        // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
        // `steer_api`).
        let found = unsafe { value(json) }.as_object().and_then(|fields| fields.keys().nth(index));
        found.map_or(steer_str::empty(), |key| steer_str::borrow(key))
    })
}

pub(super) unsafe extern "C" fn json_get(
    json: *const steer_json,
    key: steer_str,
) -> *const steer_json {
    guard(ptr::null(), || {
        // SAFETY: `key` is readable (rule of `steer_api`).
        let Some(key) = (unsafe { key.to_cow() }) else { return ptr::null() };
        note_asked(json, Some(&key));
        // SAFETY: `json` is NULL or came from the engine for the current `config_new` (rule of
        // `steer_api`).
        let found = unsafe { value(json) }.get(&*key);
        found.map_or(ptr::null(), |found| ptr::from_ref(found).cast())
    })
}

pub(super) unsafe extern "C" fn config_fault(
    faults: *mut steer_faults,
    field: steer_str,
    error: steer_str,
) {
    guard((), || {
        // SAFETY: NULL or the Faults of the current `config_new`, which nothing else uses now (rule
        // of `steer_api`).
        let Some(faults) = (unsafe { faults.cast::<Faults<'_>>().as_mut() }) else { return };
        // SAFETY: `field` is readable (rule of `steer_api`).
        let field = unsafe { field.to_text() }.unwrap_or_default();
        // SAFETY: `error` is readable (rule of `steer_api`).
        let error = unsafe { error.to_text() }.unwrap_or_default();
        faults.faults.push(Fault { field, error });
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;

    /// The fields that `read` asks for.
    fn asked(config: &Value, read: impl FnOnce(*const steer_json)) -> Option<Vec<String>> {
        let reading = Reading::new(config);
        read(reading.pointer());
        reading.asked().map(|names| names.into_iter().collect())
    }

    fn get(json: *const steer_json, key: &'static str) -> *const steer_json {
        // SAFETY: the key is readable, and `json` came from a reading that has not ended.
        unsafe { json_get(json, steer_str::borrow(key)) }
    }

    #[test]
    fn fields_that_are_asked_for_by_name_are_known() {
        let config = json!({"a": {"c": 1}, "b": 2});
        let names = asked(&config, |json| {
            let a = get(json, "a");
            get(a, "c");
            get(json, "other");
            // SAFETY: `a` came from a reading that has not ended.
            unsafe { json_text(a) };
        });
        assert_eq!(names, Some(vec!["a".to_owned(), "other".to_owned()]));
        assert_eq!(asked(&config, |_| ()), Some(vec![]));
    }

    #[test]
    fn all_fields_are_known_to_a_hook_that_looks_at_the_whole_config() {
        let config = json!({"a": 1});
        let whole: [fn(*const steer_json); 3] = [
            // SAFETY: `json` came from a reading that has not ended.
            |json| _ = unsafe { json_text(json) },
            // SAFETY: as above.
            |json| _ = unsafe { json_key(json, 0) },
            // SAFETY: as above.
            |json| _ = unsafe { json_at(json, 0) },
        ];
        for read in whole {
            assert_eq!(asked(&config, read), None);
        }
    }

    #[test]
    fn a_config_within_another_has_its_own_names() {
        let (outer, inner) = (json!({"child": {}}), json!({}));
        let names = asked(&outer, |json| {
            get(json, "child");
            let names = asked(&inner, |inside| {
                get(inside, "x");
                get(json, "y");
            });
            assert_eq!(names, Some(vec!["x".to_owned()]));
        });
        assert_eq!(names, Some(vec!["child".to_owned(), "y".to_owned()]));
    }
}
