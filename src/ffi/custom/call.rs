//! `steer_call`: a call as a custom picker's `pick` receives it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use steer_abi::{steer_call, steer_str};

use crate::calls::Call;
use crate::ffi::guard;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::plain_array;

/// A call for pickers that read nothing of it.
pub(super) struct EmptyCall(pub(super) steer_call);

// SAFETY: its only pointers are NULL.
unsafe impl Sync for EmptyCall {}

pub(super) static EMPTY_CALL: EmptyCall = EmptyCall(steer_call {
    struct_size: size_of::<steer_call>(),
    path: steer_str::empty(),
    ctx: ptr::null_mut(),
    header: None,
    add_header: None,
    request_hash: 0,
    has_request_hash: 0,
    reserved: 0,
});

/// The `steer_call.ctx` of a call.
struct Context<'a> {
    call: &'a Call<'a>,
    /// Values of headers that had to be made, for the rest of the pick.
    texts: RefCell<Vec<Vec<u8>>>,
}

/// Converts a call to C for the duration of `body`.
pub(super) fn with_call<R>(
    call: &Call<'_>,
    wants_path: bool,
    body: impl FnOnce(&steer_call) -> R,
) -> R {
    let context = Context { call, texts: RefCell::default() };
    body(&steer_call {
        struct_size: size_of::<steer_call>(),
        path: if wants_path { steer_str::borrow(call.path) } else { steer_str::empty() },
        ctx: ptr::from_ref(&context).cast_mut().cast(),
        header: Some(header),
        add_header: Some(add_header),
        request_hash: call.request_hash.unwrap_or_default(),
        has_request_hash: i32::from(call.request_hash.is_some()),
        reserved: 0,
    })
}

unsafe extern "C" fn header(ctx: *mut c_void, name: steer_str, value: *mut steer_str) -> i32 {
    guard(0, || {
        // SAFETY: `ctx` is the Context that `with_call` made for the current pick (rule of
        // `steer_call`).
        let Some(context) = (unsafe { ctx.cast::<Context<'_>>().as_ref() }) else { return 0 };
        // SAFETY: `name` is readable (rule of `steer_call`).
        let Some(name) = (unsafe { name.to_cow() }) else { return 0 };
        let Some(found) = context.call.headers.get(&name).filter(|_| !value.is_null()) else {
            return 0;
        };
        let borrow = |bytes: &[u8]| steer_str { data: bytes.as_ptr().cast(), length: bytes.len() };
        let text = match found {
            Cow::Borrowed(bytes) => borrow(bytes),
            Cow::Owned(bytes) => {
                let text = borrow(&bytes);
                // Moving a Vec does not move its bytes.
                context.texts.borrow_mut().push(bytes);
                text
            }
        };
        // SAFETY: not NULL, so `value` can be written to (rule of `steer_call`).
        unsafe { value.write(text) };
        1
    })
}

unsafe extern "C" fn add_header(ctx: *mut c_void, name: steer_str, value: steer_str) -> i32 {
    guard(0, || {
        // SAFETY: `ctx` is the Context that `with_call` made for the current pick (rule of
        // `steer_call`).
        let Some(context) = (unsafe { ctx.cast::<Context<'_>>().as_ref() }) else { return 0 };
        // SAFETY: `name` is readable (rule of `steer_call`).
        let Some(name) = (unsafe { name.to_cow() }) else { return 0 };
        let bytes = value.data.cast::<u8>();
        // SAFETY: `value` is readable (rule of `steer_call`).
        let Ok(value) = (unsafe { plain_array(bytes, value.length) }) else { return 0 };
        i32::from(context.call.headers.add(&name, value))
    })
}
