//! A field that maps addresses of backends to values.
//!
//! Must not depend on: what the values are.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::endpoints::EndpointDescriptor;
use crate::hashing::of_address;

/// A log line names at most this many addresses: a field may have thousands.
const MAX_LOGGED: usize = 5;

/// The values of a field, by the addresses of backends.
#[derive(Debug)]
pub struct ByAddress<T> {
    /// The name of the field.
    field: &'static str,
    /// By address without its scheme.
    by_address: HashMap<Vec<u8>, Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    /// The address as the config has it.
    address: String,
}

impl<T> ByAddress<T> {
    /// A field that names no address.
    pub fn empty(field: &'static str) -> ByAddress<T> {
        ByAddress { field, by_address: HashMap::new() }
    }

    /// Reads the field. `parse` reads one value. It gets the value's field path, and adds a fault
    /// if it returns `None`.
    pub fn parse(
        fields: &mut Fields<'_>,
        field: &'static str,
        mut parse: impl FnMut(&mut Fields<'_>, &str, &Value) -> Option<T>,
    ) -> ByAddress<T> {
        let object: Map<String, Value> = fields.read(field, Map::new());
        let mut values = ByAddress::empty(field);
        for (address, value) in &object {
            let path = format!("{field}[{}]", Value::from(address.as_str()));
            let Some(value) = parse(fields, &path, value) else { continue };
            let entry = Entry { value, address: address.clone() };
            if values.by_address.insert(of_address(address).into_owned(), entry).is_some() {
                fields.fault(&path, "the same address is named already");
            }
        }
        values
    }

    /// Whether the field names no address.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// The value of an endpoint, which the config may name by any of its addresses.
    pub fn of(&self, endpoint: &EndpointDescriptor) -> Option<&T> {
        if self.is_empty() {
            return None;
        }
        let mut addresses = endpoint.addresses.iter();
        let named = addresses.find_map(|address| self.by_address.get(&*of_address(address)));
        named.map(|entry| &entry.value)
    }

    /// The addresses in the config that no endpoint has, sorted.
    fn unused<'e>(&self, endpoints: impl Iterator<Item = &'e EndpointDescriptor>) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let addresses = endpoints.flat_map(|endpoint| &endpoint.addresses);
        let used: HashSet<_> = addresses.map(|address| of_address(address)).collect();
        let unused = self.by_address.iter().filter(|(key, _)| !used.contains(key.as_slice()));
        let mut unused: Vec<String> = unused.map(|(_, entry)| entry.address.clone()).collect();
        unused.sort_unstable();
        unused
    }
}

/// Logs which addresses of a field name no backend, once for each set of them. A list often comes
/// again.
#[derive(Default)]
pub struct UnusedAddressesLog {
    logged: Vec<String>,
}

impl UnusedAddressesLog {
    /// Takes the list in use. Returns the line to log, if any. `policy` is the policy's name.
    pub fn update_list<'e, T>(
        &mut self,
        policy: &str,
        values: &ByAddress<T>,
        endpoints: impl Iterator<Item = &'e EndpointDescriptor>,
    ) -> Option<String> {
        let unused = values.unused(endpoints);
        if unused == self.logged {
            return None;
        }
        let mut names = unused[..unused.len().min(MAX_LOGGED)].join(", ");
        if let more @ 1.. = unused.len().saturating_sub(MAX_LOGGED) {
            names += &format!(" and {more} more");
        }
        self.logged = unused;
        let field = values.field;
        (!names.is_empty())
            .then(|| format!("{policy}: no backend has these addresses in {field:?}: {names}"))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(values: Value) -> Result<ByAddress<u64>, String> {
        let json = json!({ "values": values });
        let parsed = Fields::parse("p", &json, |fields| {
            ByAddress::parse(fields, "values", |_, _, value| value.as_u64())
        });
        parsed.map_err(|error| error.to_string())
    }

    fn endpoint(addresses: &[&str]) -> EndpointDescriptor {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        EndpointDescriptor { addresses, ..EndpointDescriptor::default() }
    }

    #[test]
    fn any_address_of_an_endpoint_names_it() {
        let values = parse(json!({"10.0.0.1:80": 1, "ipv4:10.0.0.2:80": 2})).unwrap();
        assert_eq!(values.of(&endpoint(&["ipv4:10.0.0.1:80"])), Some(&1));
        assert_eq!(values.of(&endpoint(&["ipv4:10.9.9.9:80", "ipv4:10.0.0.2:80"])), Some(&2));
        assert_eq!(values.of(&endpoint(&["ipv4:10.0.0.3:80"])), None);
    }

    #[test]
    fn an_address_is_named_once() {
        let error = parse(json!({"10.0.0.1:80": 1, "ipv4:10.0.0.1:80": 1})).unwrap_err();
        let expected = "field:p.values[\"ipv4:10.0.0.1:80\"] error:the same address is named";
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn unused_addresses_are_those_that_no_endpoint_has() {
        let values = parse(json!({"a": 1, "ipv4:10.0.0.1:80": 1, "c": 1, "b": 1})).unwrap();
        let endpoints = [endpoint(&["x", "a"]), endpoint(&["ipv4:10.0.0.1:80"])];
        assert_eq!(values.unused(endpoints.iter()), ["b", "c"]);
        assert_eq!(values.unused([].iter()), ["a", "b", "c", "ipv4:10.0.0.1:80"]);
    }

    #[test]
    fn a_set_of_unused_addresses_is_logged_once() {
        let values = parse(json!({"a": 1, "b": 1})).unwrap();
        let (a, other) = ([endpoint(&["a"])], [endpoint(&["c"])]);
        let mut log = UnusedAddressesLog::default();
        let mut line = |list: &[EndpointDescriptor]| log.update_list("p", &values, list.iter());
        let b = "p: no backend has these addresses in \"values\": b".to_owned();
        assert_eq!(line(&a), Some(b.clone()));
        assert_eq!(line(&a), None);
        assert!(line(&other).unwrap().ends_with(": a, b"));
        assert_eq!(line(&a), Some(b));
        assert_eq!(line(&[endpoint(&["a"]), endpoint(&["b"])]), None);
    }
}
