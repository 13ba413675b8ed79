//! Calls the extern functions as C calls them: with NULLs, other sizes, nonsense and panics. Miri
//! runs these tests.
//!
//! | file | subject |
//! |---|---|
//! | `calls.rs` | the engine's functions, which note for the callbacks what they come within |
//! | `host.rs` | a host's callbacks, which note what they see |
//! | `fixture.rs` | a policy with such a host |
//! | `policies.rs` | policies for these tests |
//! | `library.rs`, `config.rs`, `policy.rs`, `update.rs`, `report.rs`, `picker.rs`, `engine.rs`, `virtual_host.rs` | tests of the file of that name |
//! | `take_over.rs` | names that are taken over |
//! | `layout.rs` | structs do not end in padding |
//! | `custom/` | tests of custom pickers and policies |

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use serde_json::Value;

use super::*;

#[path = "../../../tests/support/callbacks.rs"]
mod callbacks;
mod calls;
mod config;
mod custom;
mod engine;
mod fixture;
mod host;
mod layout;
mod library;
mod picker;
mod policies;
mod policy;
mod report;
mod take_over;
mod update;
mod virtual_host;

use callbacks::{came, within};
// By name, because they replace the functions that they call.
use calls::{
    steer_call_tracker_finish, steer_call_tracker_free, steer_call_tracker_start,
    steer_picker_free, steer_picker_pick, steer_policy_endpoint_load, steer_policy_endpoint_report,
    steer_policy_exit_idle, steer_policy_free, steer_policy_new, steer_policy_reset_backoff,
    steer_policy_run, steer_policy_timer, steer_policy_update,
};
use fixture::*;
use host::*;
use policies::register_test_policies;

use crate::calls::{Call, Metrics, Wants};
use crate::endpoints::EndpointDescriptor;
use crate::policy::{
    BuiltIn, Config, ConfigError, Fields, Helper, LeafFactory, Pick, Picker, PickerFactory, Policy,
    PolicyFactory, Ready,
};
use crate::{Code, Status};

fn text(s: steer_str) -> String {
    // SAFETY: the tests pass only texts that are valid.
    unsafe { s.to_text() }.unwrap()
}
