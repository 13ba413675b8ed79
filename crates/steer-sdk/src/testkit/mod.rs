//! Tests of pickers and policies without gRPC: a channel in memory. The test controls connections,
//! time and random numbers, and how each call ends. The engine is the real one.
//!
//! Enable the feature `testkit` in `[dev-dependencies]`.
//!
//! ```
//! # use steer_sdk::{Backends, Channel, NoConfig, Pick, Picker, PickerFactory, picker};
//! # struct AnyOne;
//! # impl PickerFactory for AnyOne {
//! #     const NAME: &'static str = "any_one";
//! #     type Config = NoConfig;
//! #     fn build(&self, _: &NoConfig, backends: Backends, channel: &Channel) -> impl Picker {
//! #         let channel = channel.clone();
//! #         picker(move |_| Pick::complete(&backends[channel.random() as usize % backends.len()]))
//! #     }
//! # }
//! steer_sdk::steer_plugin! { name: "any one", pickers: [AnyOne] }
//!
//! # fn main() {
//! use steer_sdk::testkit::{Conformance, TestCall, TestChannel};
//!
//! let channel = TestChannel::new(plugin(), "any_one", "{}").unwrap();
//! channel.resolve(["ipv4:10.0.0.1:80", "ipv4:10.0.0.2:80"]);
//! channel.ready("ipv4:10.0.0.1:80");
//! assert_eq!(channel.pick(&TestCall::new()).backend(), Some("ipv4:10.0.0.1:80"));
//!
//! channel.all_ready();
//! let distribution = channel.picks(1000, &TestCall::new());
//! let equal = [("ipv4:10.0.0.1:80", 1.0), ("ipv4:10.0.0.2:80", 1.0)];
//! assert!(distribution.chi_square(&equal) > 0.001);
//! assert_eq!(channel.faults(), 0);
//!
//! // The rules that every picker must follow.
//! Conformance::new(plugin(), "any_one", "{}").check().unwrap();
//! # }
//! ```
//!
//! | file | content |
//! |---|---|
//! | `channel.rs` | a channel with one policy, and its picks |
//! | `asked.rs` | what the engine has asked of the host |
//! | `call.rs` | a call, from its pick to its end |
//! | `distribution.rs` | counts of where many calls went |
//! | `conformance.rs` | the rules that every picker must follow |
//!
//! Must not depend on: gRPC, the ABI.

mod asked;
mod call;
mod channel;
mod conformance;
mod distribution;

pub use call::{Picked, TestCall, TrackedCall};
pub use channel::{MetricValue, TestBackend, TestChannel};
pub use conformance::{Conformance, Nonconformance};
pub use distribution::Distribution;
pub use steer::calls::Metrics as LoadReport;
