//! An instance: one channel's part of a picker type.

use std::ffi::c_void;
use std::sync::Arc;

use super::channel::Channel;
use super::choice::raise_failed;
use super::followed_calls::FollowedCalls;
use super::hook::{freeing, serialised};
use super::table::{Registered, Table};
use crate::policy::Helper;
use crate::sync::Handle;

/// An instance of a picker type. Made in a serialised call. Shared by the channel's picker factory,
/// its pickers and the data of its backends. The last one frees it by `instance_free`.
pub(super) struct Instance {
    pub(super) registered: Arc<Registered>,
    pub(super) channel: Arc<Channel>,
    pointer: Handle,
    /// `instance_new` made it. Otherwise it is the table's `ctx`.
    made: bool,
}

impl Instance {
    /// # Panics
    /// [`raise`](crate::fault::raise)s when `instance_new` fails.
    pub(super) fn new(
        registered: &Arc<Registered>,
        helper: &Arc<dyn Helper>,
        calls: Arc<FollowedCalls>,
    ) -> Arc<Instance> {
        let table = registered.picker_type();
        let channel = Channel::new(helper, None, calls);
        let mut pointer = table.ctx;
        if let Some(instance_new) = table.instance_new {
            // SAFETY: called in a serialised call with the table's `ctx`, and with a channel that
            // the instance and its pickers keep.
            let status = serialised(&*channel, || unsafe {
                instance_new(table.ctx, channel.pointer(), &mut pointer)
            });
            if status != 0 {
                raise_failed("instance_new");
            }
        }
        let made = table.instance_new.is_some();
        let (registered, pointer) = (Arc::clone(registered), Handle::new(pointer));
        Arc::new(Instance { registered, channel, pointer, made })
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Table::Picker(table) = &self.registered.table else { return };
        let made = self.made && !self.pointer.is_null();
        if let (true, Some(instance_free)) = (made, table.instance_free) {
            // SAFETY: `instance_new` made the instance. It is freed once, after its pickers, which
            // hold it.
            freeing(|| unsafe { instance_free(self.pointer()) });
        }
    }
}
