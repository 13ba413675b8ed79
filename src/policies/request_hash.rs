//! The hash of a call: of one of its headers, or the hash that an xDS route gave it. And whether
//! the call is a retry that is to go elsewhere.
//!
//! Sources: gRFC A42, A76; gRPC's `ring_hash`; gRFC A6 (the header of retries).
//! Config: `requestHashHeader`, `retryElsewhere`.
//! Cost per pick: nothing for the hash of a route. Otherwise the host's look-up of the header, and
//! XXH64 of its value. With `retryElsewhere`, the look-up of another header.
//!
//! Must not depend on: what a hash is used for.

use std::sync::Arc;

use twox_hash::XxHash64;

use crate::Status;
use crate::calls::{Call, Wants, is_header_name};
use crate::policy::Fields;

/// The header in which gRPC says how many attempts a retry comes after (gRFC A6).
const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// gRPC makes at most five attempts (gRFC A6), so four come before the last one.
pub(super) const MOST_PREVIOUS_ATTEMPTS: usize = 4;

/// Where the hashes of calls come from.
#[derive(Clone, Debug)]
pub struct RequestHash {
    /// The header, if any, and then [`PREVIOUS_ATTEMPTS`] if retries go elsewhere.
    headers: Arc<[String]>,
    hashes_header: bool,
    retry_elsewhere: bool,
    /// The status of calls without a hash, if there is no header.
    missing: Status,
}

impl RequestHash {
    /// Reads `requestHashHeader` and `retryElsewhere`.
    pub fn parse(fields: &mut Fields<'_>) -> RequestHash {
        const NAME: &str = "requestHashHeader";
        // Names of headers are lower-case in HTTP/2.
        let header = fields.read(NAME, String::new()).to_ascii_lowercase();
        if header.ends_with("-bin") {
            fields.fault(NAME, format!("{header:?} is a binary header, which cannot be hashed"));
        } else if !header.is_empty() && !is_header_name(&header) {
            fields.fault(NAME, format!("{header:?} cannot name a header"));
        }
        RequestHash::new(&header, fields.read("retryElsewhere", false))
    }

    /// Hashes of the header with this lower-case name, or of xDS routes if the name is empty.
    pub fn new(header: &str, retry_elsewhere: bool) -> RequestHash {
        let missing = Status::internal(
            "hash attribute not present: the call has no hash of an xDS route, and the policy no \
             requestHashHeader",
        );
        let hashed = (!header.is_empty()).then_some(header);
        let headers = hashed.into_iter().chain(retry_elsewhere.then_some(PREVIOUS_ATTEMPTS));
        RequestHash {
            headers: headers.map(str::to_owned).collect(),
            hashes_header: hashed.is_some(),
            retry_elsewhere,
            missing,
        }
    }

    /// What a picker has to know of a call.
    pub fn wants(&self) -> Wants {
        Wants {
            headers: (!self.headers.is_empty()).then(|| Arc::clone(&self.headers)),
            request_hash: !self.hashes_header,
            ..Wants::default()
        }
    }

    /// How many backends the call is to pass over: one for each of its former attempts, with
    /// `retryElsewhere`.
    #[inline]
    pub fn passed_over(&self, call: &Call<'_>) -> usize {
        if self.retry_elsewhere { previous_attempts(call) } else { 0 }
    }

    /// The hash of a call. `None`: the call does not have the header, and any hash is as good as
    /// another. `Err`: the call has no hash, and fails with this status.
    #[inline]
    pub fn for_call(&self, call: &Call<'_>) -> Result<Option<u64>, &Status> {
        if self.hashes_header {
            Ok(header_hash(call, &self.headers[0]))
        } else {
            call.request_hash.map(Some).ok_or(&self.missing)
        }
    }
}

// Not inlined, so that a pick by the hash of a route needs no stack.
#[inline(never)]
fn header_hash(call: &Call<'_>, name: &str) -> Option<u64> {
    call.headers.get(name).map(|value| XxHash64::oneshot(0, &value))
}

/// The number of attempts that came before. 0 for a first attempt, which has no such header.
#[inline(never)]
fn previous_attempts(call: &Call<'_>) -> usize {
    let number = call.headers.get(PREVIOUS_ATTEMPTS);
    let number = number.and_then(|text| std::str::from_utf8(&text).ok()?.parse::<usize>().ok());
    number.unwrap_or(0).min(MOST_PREVIOUS_ATTEMPTS)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;
    use crate::Code;
    use crate::calls::{Headers, NoHeaders};

    struct User(&'static [u8]);

    impl Headers for User {
        fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            (name == "user").then_some(Cow::Borrowed(self.0))
        }
        fn add(&self, _name: &str, _value: &[u8]) -> bool {
            false
        }
    }

    fn parse(header: &str) -> Result<RequestHash, String> {
        let json = json!({ "requestHashHeader": header });
        Fields::parse("p", &json, RequestHash::parse).map_err(|error| error.to_string())
    }

    #[test]
    fn a_headers_value_is_hashed_with_xxh64() {
        let hash = parse("User").unwrap();
        let of = |value| hash.for_call(&Call { headers: &User(value), ..*Call::UNKNOWN });
        // Known values of XXH64 with seed 0.
        assert_eq!(of(b""), Ok(Some(0xef46_db37_51d8_e999)));
        assert_eq!(of(b"a"), Ok(Some(0xd24e_c4f1_a98c_6e5b)));
        assert_eq!(of(b"abc"), Ok(Some(0x44bc_2cf5_ad77_0999)));
        assert_eq!(hash.wants().headers.as_deref(), Some(&["user".to_owned()][..]));
        assert!(!hash.wants().request_hash);
    }

    #[test]
    fn a_call_without_the_header_has_no_hash() {
        let hash = parse("user").unwrap();
        let call = Call { headers: &NoHeaders, request_hash: Some(5), path: "" };
        assert_eq!(hash.for_call(&call), Ok(None));
    }

    #[test]
    fn without_a_configured_header_it_is_the_hash_of_the_route() {
        let hash = parse("").unwrap();
        assert!(hash.wants().request_hash && hash.wants().headers.is_none());
        let call = |request_hash| Call { headers: &User(b"a"), request_hash, path: "" };
        assert_eq!(hash.for_call(&call(Some(0))), Ok(Some(0)));
        let status = hash.for_call(&call(None)).unwrap_err();
        assert_eq!(status.code, Code::Internal);
        assert!(status.message.starts_with("hash attribute not present"), "{status}");
    }

    /// A call after as many attempts as this text says.
    struct Attempts(&'static str);

    impl Headers for Attempts {
        fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            (name == PREVIOUS_ATTEMPTS).then_some(Cow::Borrowed(self.0.as_bytes()))
        }
        fn add(&self, _name: &str, _value: &[u8]) -> bool {
            false
        }
    }

    #[test]
    fn the_attempts_are_asked_for_only_if_retries_go_elsewhere() {
        let passed_over = |hash: &RequestHash, text| {
            hash.passed_over(&Call { headers: &Attempts(text), ..*Call::UNKNOWN })
        };
        for header in ["", "user"] {
            let off = RequestHash::new(header, false);
            let on = RequestHash::new(header, true);
            let asked = |hash: &RequestHash| hash.wants().headers.unwrap_or_default().to_vec();
            assert!(!asked(&off).contains(&PREVIOUS_ATTEMPTS.to_owned()));
            assert!(asked(&on).contains(&PREVIOUS_ATTEMPTS.to_owned()));
            assert_eq!(on.wants().request_hash, header.is_empty());
            assert_eq!(passed_over(&off, "2"), 0);
            for (text, attempts) in [("1", 1), ("4", 4), ("5", 4), ("x", 0), ("-1", 0), ("", 0)] {
                assert_eq!(passed_over(&on, text), attempts, "{text}");
            }
            assert_eq!(on.passed_over(Call::UNKNOWN), 0);
        }
    }

    #[test]
    fn headers_that_cannot_be_hashed_are_refused() {
        for (header, fault) in [
            ("user-bin", "\"user-bin\" is a binary header, which cannot be hashed"),
            ("User-BIN", "\"user-bin\" is a binary header, which cannot be hashed"),
            ("my user", "\"my user\" cannot name a header"),
            ("é", "\"é\" cannot name a header"),
        ] {
            let expected = format!(
                "errors validating p LB policy config: [field:p.requestHashHeader error:{fault}]"
            );
            assert_eq!(parse(header).unwrap_err(), expected);
        }
    }
}
