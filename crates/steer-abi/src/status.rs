//! Status codes and statuses, as gRPC numbers and names them.
//!
//! Must not depend on: pickers, policies, the other types of this crate.

use std::fmt;

/// A gRPC status code. The numbers are gRPC's and never change.
///
/// Source: <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are gRPC's, and its documentation is theirs")]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// Every code, by its number.
    pub const ALL: [Code; 17] = [
        Code::Ok,
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];

    /// The code with this number; [`Code::Unknown`] for a number that gRPC does not define, as
    /// gRPC itself reads such numbers.
    pub fn from_number(number: i32) -> Code {
        usize::try_from(number)
            .ok()
            .and_then(|index| Code::ALL.get(index).copied())
            .unwrap_or(Code::Unknown)
    }

    /// Whether a pick may fail or drop a call with it. The others are for applications and control
    /// planes only (gRFC A54).
    pub fn is_for_data_plane(self) -> bool {
        !matches!(
            self,
            Code::Ok
                | Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::FailedPrecondition
                | Code::Aborted
                | Code::OutOfRange
                | Code::DataLoss
        )
    }

    /// The name that gRPC prints, such as `DEADLINE_EXCEEDED`.
    pub fn name(self) -> &'static str {
        match self {
            Code::Ok => "OK",
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// A status: a code and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: Code,
    /// What went wrong, for people. May be empty.
    pub message: String,
}

impl Status {
    /// The status OK, without a text.
    pub const OK: Status = Status { code: Code::Ok, message: String::new() };

    /// A status of any code.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status { code, message: message.into() }
    }

    /// UNAVAILABLE: try again, perhaps elsewhere.
    pub fn unavailable(message: impl Into<String>) -> Status {
        Status::new(Code::Unavailable, message)
    }

    /// INTERNAL: something is broken on this side.
    pub fn internal(message: impl Into<String>) -> Status {
        Status::new(Code::Internal, message)
    }

    /// Whether the code is OK.
    pub fn is_ok(&self) -> bool {
        self.code == Code::Ok
    }

    /// The status for calls that a pick fails or drops. A code that a data plane must not produce
    /// becomes INTERNAL, with gRPC's text for that (gRFC A54). `source` is gRPC's word for the
    /// status's origin.
    pub fn for_data_plane(&self, source: &str) -> Status {
        if self.code.is_for_data_plane() {
            return self.clone();
        }
        Status::internal(format!("Illegal status code from {source}; original status: {self}"))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer_code;

    #[test]
    fn numbers_are_grpcs_and_unknown_numbers_read_as_unknown() {
        for (number, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, number);
            assert_eq!(Code::from_number(number as i32), code);
        }
        for number in [-1, 17, i32::MAX, i32::MIN] {
            assert_eq!(Code::from_number(number), Code::Unknown);
        }
        assert_eq!(steer_code::STEER_CODE_UNAVAILABLE as i32, Code::Unavailable as i32);
        assert_eq!(steer_code::STEER_CODE_UNAUTHENTICATED as i32, 16);
    }

    #[test]
    fn rule_9_codes_that_a_data_plane_may_not_produce_become_internal() {
        let forbidden = [0, 3, 5, 6, 9, 10, 11, 15];
        for number in 0..17 {
            let status = Status::new(Code::from_number(number), "why");
            let mapped = status.for_data_plane("LB pick");
            if forbidden.contains(&number) {
                assert_eq!(mapped.code, Code::Internal);
                assert!(mapped.message.ends_with(&format!("{}: why", status.code.name())));
            } else {
                assert_eq!(mapped, status);
            }
        }
    }
}
