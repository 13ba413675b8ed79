//! A backend as consistent hashing sees it: a weight, and a key that is the same in every client
//! and at every time.
//!
//! Sources: gRPC's `ring_hash`, gRFC A76 (the hash key attribute).
//!
//! Must not depend on: rings, tables.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::endpoints::EndpointDescriptor;

/// A backend of a ring or table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The text that is hashed.
    pub key: Cow<'a, [u8]>,
    /// Its share relative to the others. At least 1.
    pub weight: u64,
}

impl<'a> Member<'a> {
    /// An endpoint. The key is its hash key, or its first address if it has none. Further
    /// connections to a backend are members of their own: `#1` and so on follow the key. The weight
    /// is 1 if the resolver gave it none.
    pub fn from_endpoint(endpoint: &'a EndpointDescriptor) -> Member<'a> {
        let key = match endpoint.addresses.first() {
            Some(address) if endpoint.hash_key.is_empty() => of_address(address),
            _ => Cow::Borrowed(endpoint.hash_key.as_bytes()),
        };
        let key = match endpoint.connection {
            0 => key,
            number => Cow::Owned([&*key, format!("#{number}").as_bytes()].concat()),
        };
        Member { key, weight: u64::from(endpoint.weight).max(1) }
    }
}

impl Member<'_> {
    /// The same member, which owns its key.
    pub fn into_owned(self) -> Member<'static> {
        Member { key: Cow::Owned(self.key.into_owned()), weight: self.weight }
    }
}

/// The address without its scheme, as gRPC hashes it: `10.0.0.1:80`, `[::1]:80`, `/run/socket`.
pub(crate) fn of_address(address: &str) -> Cow<'_, [u8]> {
    match address.split_once(':') {
        Some(("ipv4" | "vsock", rest)) => Cow::Borrowed(rest.as_bytes()),
        // Older gRPC versions write it as it is, with a '%' before a scope. Later ones encode the
        // brackets.
        Some(("ipv6", rest)) if rest.starts_with('[') => Cow::Borrowed(rest.as_bytes()),
        Some(("ipv6" | "unix", rest)) => percent_decode_str(rest).into(),
        // The path of such a socket begins with a zero byte.
        Some(("unix-abstract", rest)) => {
            Cow::Owned(std::iter::once(0).chain(percent_decode_str(rest)).collect())
        }
        _ => Cow::Borrowed(address.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str, hash_key: &str) -> String {
        let endpoint = EndpointDescriptor {
            addresses: vec![address.to_owned(), "ipv4:10.9.9.9:9".to_owned()],
            hash_key: hash_key.to_owned(),
            ..EndpointDescriptor::default()
        };
        String::from_utf8(Member::from_endpoint(&endpoint).key.into_owned()).unwrap()
    }

    #[test]
    fn the_key_is_the_first_address_without_its_scheme() {
        assert_eq!(key("ipv4:10.0.0.1:80", ""), "10.0.0.1:80");
        assert_eq!(key("ipv6:[::1]:80", ""), "[::1]:80");
        assert_eq!(key("ipv6:[fe80::1%252]:80", ""), "[fe80::1%252]:80");
        assert_eq!(key("ipv6:%5B::1%5D:80", ""), "[::1]:80");
        assert_eq!(key("unix:/run/a%20b", ""), "/run/a b");
        assert_eq!(key("unix-abstract:name", ""), "\0name");
        assert_eq!(key("vsock:3:80", ""), "3:80");
        assert_eq!(key("a", ""), "a");
    }

    #[test]
    fn a_hash_key_replaces_the_address() {
        assert_eq!(key("ipv4:10.0.0.1:80", "ipv4:pod-0"), "ipv4:pod-0");
    }

    #[test]
    fn each_connection_has_its_own_key() {
        let addresses = vec!["ipv4:10.0.0.1:80".to_owned()];
        let endpoint =
            EndpointDescriptor { addresses, connection: 2, ..EndpointDescriptor::default() };
        assert_eq!(&*Member::from_endpoint(&endpoint).key, b"10.0.0.1:80#2");
    }

    #[test]
    fn a_missing_weight_counts_as_1() {
        let weight = |weight| {
            Member::from_endpoint(&EndpointDescriptor { weight, ..EndpointDescriptor::default() })
                .weight
        };
        assert_eq!([weight(0), weight(1), weight(u32::MAX)], [1, 1, u64::from(u32::MAX)]);
    }
}
