//! What a panic of a picker or policy leads to.

use crate::abi::steer_on_fault;

/// What a panic of a picker or policy leads to, apart from a line in the log and in the statistics.
/// It ends with another config, with a list of backends that comes 10 seconds later or more, and
/// with the plugin's next release.
///
/// A panic in a method that the channel serialises, such as `build`, leaves things half-way: it
/// always counts as more than `faults_per_minute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFault {
    /// So many panics a minute fail the calls that meet them. With one more, round robin takes the
    /// picker's place.
    FallBack {
        /// 0: the first one brings round robin.
        faults_per_minute: u32,
    },
    /// So many panics a minute fail the calls that meet them. With one more, all calls fail: no
    /// call goes where the picker did not choose.
    Fail {
        /// 0: any number.
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
