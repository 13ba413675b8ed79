//! `steer_code`: gRPC's status codes for C.

/// A gRPC status code, with gRPC's numbers. The ABI passes codes as `int32_t`. gRFC A54 lists those
/// that a picker may fail calls with.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are gRPC's, and its documentation is theirs")]
pub enum steer_code {
    STEER_CODE_OK = 0,
    STEER_CODE_CANCELLED = 1,
    STEER_CODE_UNKNOWN = 2,
    STEER_CODE_INVALID_ARGUMENT = 3,
    STEER_CODE_DEADLINE_EXCEEDED = 4,
    STEER_CODE_NOT_FOUND = 5,
    STEER_CODE_ALREADY_EXISTS = 6,
    STEER_CODE_PERMISSION_DENIED = 7,
    STEER_CODE_RESOURCE_EXHAUSTED = 8,
    STEER_CODE_FAILED_PRECONDITION = 9,
    STEER_CODE_ABORTED = 10,
    STEER_CODE_OUT_OF_RANGE = 11,
    STEER_CODE_UNIMPLEMENTED = 12,
    STEER_CODE_INTERNAL = 13,
    STEER_CODE_UNAVAILABLE = 14,
    STEER_CODE_DATA_LOSS = 15,
    STEER_CODE_UNAUTHENTICATED = 16,
}
