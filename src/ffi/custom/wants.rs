//! `steer_wants`: the parts of each call that a custom picker reads.

use std::mem::offset_of;

use steer_abi::{
    STEER_WANTS_HEADERS, STEER_WANTS_METRICS, STEER_WANTS_PATH, STEER_WANTS_REQUEST_HASH,
    steer_wants,
};

use crate::calls::{Wants, is_header_name};
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, plain_array};

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_wants {
    const FIRST_SIZE: usize = offset_of!(steer_wants, header_count) + size_of::<usize>();
}

/// The limit that `steer_wants.header_count` documents.
const MOST_HEADERS: usize = 64;

/// Checks and converts a picker's `steer_wants`.
///
/// # Safety
/// The headers of `wants` are readable.
pub(super) unsafe fn read_wants(wants: &steer_wants) -> Result<Wants, String> {
    let known =
        STEER_WANTS_PATH | STEER_WANTS_HEADERS | STEER_WANTS_METRICS | STEER_WANTS_REQUEST_HASH;
    if wants.bits & !known != 0 {
        return Err(format!(
            "steer_wants.bits is {:#x}, and this engine knows {known:#x}: use STEER_WANTS_…",
            wants.bits
        ));
    }
    if wants.header_count > MOST_HEADERS {
        return Err(format!(
            "steer_wants.header_count is {}, and at most {MOST_HEADERS} headers can be read",
            wants.header_count
        ));
    }
    // SAFETY: the headers are readable (caller's contract).
    let headers = unsafe { plain_array(wants.headers, wants.header_count) };
    let headers = headers.map_err(|_| "steer_wants.headers cannot be read".to_owned())?;
    let mut names = Vec::new();
    for (index, name) in headers.iter().enumerate() {
        // SAFETY: the headers' names are readable (caller's contract).
        let name = unsafe { name.to_text() }.unwrap_or_default();
        if !is_header_name(&name) {
            return Err(format!(
                "steer_wants.headers[{index}] is {name:?}: names of headers are lower-case \
                 letters, digits, '-', '_' and '.'"
            ));
        }
        names.push(name);
    }
    let any = wants.bits & STEER_WANTS_HEADERS != 0 || !names.is_empty();
    Ok(Wants {
        path: wants.bits & STEER_WANTS_PATH != 0,
        headers: any.then(|| names.into()),
        metrics: wants.bits & STEER_WANTS_METRICS != 0,
        request_hash: wants.bits & STEER_WANTS_REQUEST_HASH != 0,
    })
}
