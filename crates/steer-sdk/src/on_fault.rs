//! How a policy continues after a panic.

use crate::abi::steer_on_fault;

/// How a policy continues after a panic of a picker or policy. Every panic is also logged and
/// counted in the statistics.
///
/// The policy is made again, and tried again, with another config, with a list of backends that
/// comes at least 10 seconds later, and with the plugin's next release.
///
/// A panic in a method that the channel serialises, such as `build`, may leave state half changed.
/// So it always exceeds `faults_per_minute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFault {
    /// Up to `faults_per_minute`, a panic only fails the call that meets it. With one panic more,
    /// round robin replaces the policy.
    FallBack {
        /// 0: round robin replaces the policy after the first panic.
        faults_per_minute: u32,
    },
    /// Up to `faults_per_minute`, a panic only fails the call that meets it. With one panic more,
    /// all calls fail: no call goes to a backend that the picker did not choose.
    Fail {
        /// 0: there is no limit.
        faults_per_minute: u32,
    },
}

impl OnFault {
    pub(crate) const fn number(self) -> i32 {
        match self {
            OnFault::FallBack { .. } => steer_on_fault::STEER_ON_FAULT_FALL_BACK as i32,
            OnFault::Fail { .. } => steer_on_fault::STEER_ON_FAULT_FAIL as i32,
        }
    }

    pub(crate) const fn faults_per_minute(self) -> u32 {
        match self {
            OnFault::FallBack { faults_per_minute } | OnFault::Fail { faults_per_minute } => {
                faults_per_minute
            }
        }
    }
}
