//! Which names a policy may have.
//!
//! Must not depend on: which policies there are.

use super::error::RegisterError;

/// The policies of all gRPC versions. Missing are those that [`check_name`] refuses by a prefix or
/// a suffix.
const GRPC_NAMES: [&str; 7] = [
    "grpclb",
    "pick_first",
    "ring_hash",
    "round_robin",
    "rls",
    "weighted_round_robin",
    "weighted_target",
];

/// Checks the name of a policy that is not the engine's.
pub(super) fn check_name(name: &str) -> Result<(), RegisterError> {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !good {
        Err(RegisterError::BadName(name.to_owned()))
    } else if name.starts_with("steer_") {
        Err(RegisterError::Reserved(name.to_owned()))
    } else if GRPC_NAMES.contains(&name)
        || name.starts_with("xds_")
        || name.ends_with("_experimental")
    {
        Err(RegisterError::OfGrpc(name.to_owned()))
    } else {
        Ok(())
    }
}
