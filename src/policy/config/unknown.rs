//! Fields of configs that no policy knows. They are ignored, as gRPC does, and named in the log.
//!
//! Must not depend on: any policy, how a config is read.

use std::collections::BTreeSet;

use crate::sync::{Lazy, Mutex};

/// The log names at most this many fields of a process. Configs come from resolvers, which could
/// send another name each time.
const MAX_LOGGED: usize = 1000;

/// A longer name is no typing error of a field's. To compare it would cost its length squared.
const LONGEST_COMPARED: usize = 100;

/// A field that a policy does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    name: String,
    /// The known field that is likely to be meant.
    meant: Option<String>,
}

impl UnknownField {
    /// The field of this name, among the `known` ones.
    pub fn new<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> UnknownField {
        UnknownField { name: name.to_owned(), meant: nearest(name, known).map(str::to_owned) }
    }

    /// The line for the log. `None` if it was logged before in this process, for this policy.
    pub fn log_line(&self, policy: &str) -> Option<String> {
        static LOGGED: Lazy<Mutex<BTreeSet<(String, String)>>> = Lazy::new(Mutex::default);
        let mut logged = LOGGED.lock();
        if logged.len() >= MAX_LOGGED || !logged.insert((policy.to_owned(), self.name.clone())) {
            return None;
        }
        let UnknownField { name, meant } = self;
        let hint = meant.as_ref().map(|meant| format!(": did you mean {meant:?}?"));
        let hint = hint.unwrap_or_default();
        Some(format!("{policy}: the config's field {name:?} is not known, and ignored{hint}"))
    }
}

/// The known name that is nearest to a name, if it is likely to be meant.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_COMPARED {
        return None;
    }
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let name = plain(name);
    let distance = |known: &str| strsim::osa_distance(&name, &plain(known));
    known
        .into_iter()
        .map(|known| (distance(known), known))
        // One error in three letters: more would be another name.
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_few_errors_is_likely_to_be_meant() {
        let known = ["choiceCount", "decayTime", "weights"];
        for (name, meant) in [
            ("choiseCount", Some("choiceCount")),
            ("choice_count", Some("choiceCount")),
            ("CHOICECOUNT", Some("choiceCount")),
            ("weight", Some("weights")),
            ("decyaTime", Some("decayTime")),
            ("period", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(nearest(&"weights".repeat(100), known), None);
    }

    #[test]
    fn a_field_is_logged_once_for_each_policy() {
        let known = UnknownField::new("choiseCount", ["choiceCount"]);
        assert_eq!(
            known.log_line("unknown_a").unwrap(),
            "unknown_a: the config's field \"choiseCount\" is not known, and ignored: did you \
             mean \"choiceCount\"?"
        );
        assert_eq!(known.log_line("unknown_a"), None);
        assert!(known.log_line("unknown_b").is_some());
        let other = UnknownField::new("x", ["choiceCount"]);
        assert!(other.log_line("unknown_a").unwrap().ends_with("is not known, and ignored"));
    }
}
