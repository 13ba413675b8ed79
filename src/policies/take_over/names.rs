//! Which names of gRPC's policies can be taken over.
//!
//! Must not depend on: who takes them.

/// gRPC's policies that choose among backends, in all versions. A name that the linked gRPC does
/// not have becomes known.
const CAN_BE_TAKEN: [&str; 5] = [
    "least_request_experimental",
    "ring_hash",
    "ring_hash_experimental",
    "round_robin",
    "weighted_round_robin",
];

/// Why a name cannot be taken over, and what to do. `None`: it can.
pub(super) fn why_not(name: &str) -> Option<String> {
    if CAN_BE_TAKEN.contains(&name) {
        return None;
    }
    let names = CAN_BE_TAKEN.join(", ");
    Some(if name == "pick_first" {
        "pick_first cannot be taken over, because gRPC and Steer connect to backends with it. Name \
         Steer's policy in the service config of channels that use pick_first"
            .to_owned()
    } else if name.starts_with("steer_") {
        format!("the name before '=' is that of a policy of gRPC's, one of: {names}")
    } else {
        format!(
            "{name:?} is not a policy of gRPC's that chooses among backends. These can be taken \
             over: {names}"
        )
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_name_cannot_be_taken() {
        assert_eq!(why_not("round_robin"), None);
        assert!(why_not("pick_first").unwrap().contains("connect to backends with it"));
        for name in ["steer_random", "xds_cluster_impl_experimental", "roundrobin", ""] {
            assert!(why_not(name).unwrap().contains("weighted_round_robin"), "{name}");
        }
    }
}
