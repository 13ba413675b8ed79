//! Policies as children of other policies.
//!
//! A policy with children (a *parent*) decides which endpoints each child gets, and which child's
//! picker answers. A child is any policy of the registry. A [`Runner`](super::Runner) runs it, as
//! one runs the policy of a channel: with its own config, its own fallback, and its own entry in
//! the statistics. So what a host does for a channel's policy, `host.rs` does here, on top of the
//! parent's helper. Children may have children: each level adds one runner.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | the field `childPolicy` |
//! | `factory.rs` | [`BuiltInParent`]: a policy with children of the engine |
//! | `parent.rs` | [`Parent`]: what a policy with children writes; [`ParentPolicy`]: the rest |
//! | `child.rs` | [`Child`]: one child, and its graceful switch to another policy |
//! | `instance.rs` | one policy of a child |
//! | `published.rs` | [`Published`]: what it published last |
//! | `family.rs` | what the children of one parent share: whose endpoint and whose timer it is |
//! | `host.rs` | the host of a child's runner |
//!
//! The general flow is: an event comes to [`ParentPolicy`]. It passes an update to the [`Parent`],
//! which gives each child its part, and everything else to the child that it belongs to. If a child
//! has published something, the parent publishes what that means.
//!
//! Source: gRPC's `ChildPolicyHandler`, for the switch; grpc-go's `balancer.Builder`, for the
//! composition.
//! Cost: an event of an endpoint or a timer costs one look-up for each level; a pick, one call.
//!
//! Must not depend on: any concrete policy, the C ABI.

#[expect(clippy::module_inception, reason = "the type is named as the folder is")]
mod child;
mod config;
mod factory;
mod family;
mod host;
mod instance;
mod parent;
mod published;

pub use child::Child;
pub use config::ChildConfig;
pub use factory::{BuiltInParent, ParentFactory};
pub use parent::{Children, Parent, ParentConfig, ParentPolicy};
pub use published::Published;
