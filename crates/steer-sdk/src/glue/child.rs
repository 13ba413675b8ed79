//! Children of a policy.

use std::fmt;

use super::endpoint::Dropped;

/// Identifies a child. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(pub(super) u64);

/// A child of a policy: another policy, which gets a part of the endpoints, and whose picker the
/// policy publishes. [`PolicyHelper::new_child`](crate::PolicyHelper::new_child) makes it.
///
/// Dropping it ends the child; its pickers live on. A child may be dropped on any thread. Outside
/// the policy's own methods, the drop takes effect when the next such method is called.
#[must_use = "dropping a child ends it"]
pub struct Child {
    id: ChildId,
    dropped: Dropped,
}

impl Child {
    pub(super) fn new(id: ChildId, dropped: Dropped) -> Child {
        Child { id, dropped }
    }

    /// Returns the identifier that [`Policy::child_changed`](crate::Policy::child_changed) uses.
    pub fn id(&self) -> ChildId {
        self.id
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.dropped.add_child(self.id);
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.id).finish()
    }
}
