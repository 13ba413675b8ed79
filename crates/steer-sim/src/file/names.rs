//! The names in a scenario, and whether a reference to one is right.
//!
//! Must not depend on: what the named things are.

use super::reader::Node;

/// How zones are written where servers are meant.
const ZONE: &str = "zone:";

/// A group of servers.
struct Group {
    name: String,
    count: usize,
}

impl Group {
    /// Whether the group or one of its servers has this name.
    fn has(&self, name: &str) -> bool {
        name == self.name || self.has_server(name)
    }

    /// Whether one of its several servers has this name: `name-1`, `name-2`, ….
    fn has_server(&self, name: &str) -> bool {
        let number = name.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('-'));
        let Some(number) = number.filter(|number| !number.starts_with(['0', '+'])) else {
            return false;
        };
        self.count > 1 && number.parse().is_ok_and(|number| (1..=self.count).contains(&number))
    }
}

/// The names of a scenario. A reference is not checked while some names are missing because of
/// faults.
#[derive(Default)]
pub(super) struct Names {
    groups: Vec<Group>,
    zones: Vec<String>,
    /// The zones of servers.
    server_zones: Vec<String>,
    clients: Vec<String>,
    /// `None` if they have faults.
    pub(super) policies: Option<Vec<String>>,
    /// Whether a group of servers has a fault in its name, count or zones.
    pub(super) servers_unclear: bool,
    /// Whether a group of clients has a fault in its name or zones.
    pub(super) clients_unclear: bool,
}

impl Names {
    /// Adds a group of servers. Returns the name of the group that has one of its names already.
    pub(super) fn add_servers(&mut self, name: &str, count: usize) -> Option<String> {
        let added = Group { name: name.to_owned(), count };
        let clash = |group: &&Group| group.has(name) || added.has(&group.name);
        let other = self.groups.iter().find(clash).map(|group| group.name.clone());
        self.groups.push(added);
        other
    }

    /// Adds a group of clients. Returns whether the name was free.
    pub(super) fn add_clients(&mut self, name: &str) -> bool {
        let free = !self.clients.iter().any(|other| other == name);
        self.clients.push(name.to_owned());
        free
    }

    /// Ends the servers: the zones of those that come later are not theirs.
    pub(super) fn end_servers(&mut self) {
        self.server_zones = self.zones.clone();
    }

    /// Adds the zones of a group.
    pub(super) fn add_zones(&mut self, zones: &[String]) {
        for zone in zones {
            if !self.zones.contains(zone) {
                self.zones.push(zone.clone());
            }
        }
    }

    /// Reads a reference to a group of servers, a server or `zone:NAME`.
    pub(super) fn servers(&self, node: &Node<'_>) -> Option<String> {
        let Some(name) = node.value.as_str() else {
            return node.expected("the name of a group, of a server, or \"zone:NAME\"");
        };
        let known = match name.strip_prefix(ZONE) {
            Some(zone) => self.server_zones.iter().any(|other| other == zone),
            None => self.groups.iter().any(|group| group.has(name)),
        };
        if known || self.servers_unclear {
            return Some(name.to_owned());
        }
        let zones = self.server_zones.iter().map(|zone| format!("{ZONE}{zone}"));
        let zones: Vec<String> = zones.collect();
        let groups = self.groups.iter().map(|group| group.name.as_str());
        node.unknown(
            "expected the name of a group, of a server, or \"zone:NAME\"",
            groups.chain(zones.iter().map(String::as_str)),
        )
    }

    /// Reads a reference to a group of clients.
    pub(super) fn clients(&self, node: &Node<'_>) -> Option<String> {
        let Some(name) = node.value.as_str() else {
            return node.expected("the name of a group of clients");
        };
        if self.clients_unclear || self.clients.iter().any(|other| other == name) {
            return Some(name.to_owned());
        }
        let known = self.clients.iter().map(String::as_str);
        node.unknown("expected the name of a group of clients", known)
    }

    /// Reads a reference to a zone.
    pub(super) fn zone(&self, node: &Node<'_>) -> Option<String> {
        let Some(name) = node.value.as_str() else { return node.expected("the name of a zone") };
        let unclear = self.servers_unclear || self.clients_unclear;
        if unclear || self.zones.iter().any(|zone| zone == name) {
            return Some(name.to_owned());
        }
        node.unknown("expected the name of a zone", self.zones.iter().map(String::as_str))
    }

    /// Reads a reference to a policy of the scenario.
    pub(super) fn policy(&self, node: &Node<'_>) -> Option<String> {
        let Some(name) = node.value.as_str() else { return node.expected("the name of a policy") };
        match &self.policies {
            Some(known) if !known.iter().any(|policy| policy == name) => node.unknown(
                "expected one of the scenario's policies",
                known.iter().map(String::as_str),
            ),
            _ => Some(name.to_owned()),
        }
    }
}

/// Reads the name of a group or a zone.
pub(super) fn name(node: &Node<'_>) -> Option<String> {
    let right = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match node.value.as_str() {
        Some(name) if !name.is_empty() && name.chars().all(right) => Some(name.to_owned()),
        _ => node.expected("a name of letters, digits, \"-\", \"_\" and \".\""),
    }
}
