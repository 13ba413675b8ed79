//! Reads a scenario from a TOML file, and names each fault of it with its path and line.
//!
//! The general flow is: `toml` parses the text into values that know their places. [`parse`] reads
//! the values field by field. Each fault is noted, and reading goes on, so that the user sees all
//! faults of a file at once. Names come first (policies, servers, clients); whatever refers to them
//! comes later.
//!
//! | file | idea |
//! |---|---|
//! | `fault.rs` | what is wrong with a file |
//! | `reader.rs` | reads values, and collects faults |
//! | `units.rs` | single values with their units |
//! | `distribution.rs` | distributions, and files with times |
//! | `names.rs` | the names in a scenario, and references to them |
//! | `policies.rs` | policies and their configs |
//! | `servers.rs` | groups of servers |
//! | `clients.rs` | groups of clients |
//! | `calls.rs` | arrivals, retries, hedging, streams, keys |
//! | `network.rs` | the time that packets travel |
//! | `events.rs` | what happens, and when |
//! | `limits.rs` | what a policy must achieve |
//! | `size.rs` | refuses scenarios that are too large to simulate |
//!
//! `docs/scenario-files.md` lists every key.
//!
//! Must not depend on: how a scenario is simulated.

mod calls;
mod clients;
mod distribution;
mod events;
mod fault;
mod limits;
mod names;
mod network;
mod policies;
mod reader;
mod servers;
mod size;
mod units;

use std::fs;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

pub use fault::{Fault, Faults};
use names::Names;
use reader::{Fields, Source};

use crate::scenario::Scenario;

const DEFAULT_DURATION: Duration = Duration::from_secs(60);
const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);

/// Reads a scenario from a file.
pub fn read(path: &Path) -> Result<Scenario, Faults> {
    let name = path.display().to_string();
    let content = fs::read(path)
        .map_err(|error| Faults::of_file(&name, None, format!("cannot be read: {error}")))?;
    let text = String::from_utf8(content).map_err(|error| {
        let right = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + right.iter().filter(|byte| **byte == b'\n').count();
        Faults::of_file(&name, Some(line), "is not UTF-8")
    })?;
    parse(&name, &text, path.parent().unwrap_or(Path::new("")))
}

/// Reads a scenario from a text. `name` is that of its file, for faults and for the scenario's own
/// name. The paths of other files count from `folder`.
pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Scenario, Faults> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let source = Source::new(text, folder);
    if errors.is_empty() {
        let scenario = source.root(document.get_ref(), |fields| read_scenario(fields, name));
        let faults = source.into_faults();
        if faults.is_empty() {
            return Ok(scenario);
        }
        return Err(Faults { file: name.to_owned(), faults });
    }
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        source.fault(offset, "", format!("is not TOML: {}", error.message()));
    }
    // One error often leads to others in the same line.
    let mut faults = source.into_faults();
    faults.dedup_by_key(|fault| fault.line);
    Err(Faults { file: name.to_owned(), faults })
}

fn read_scenario(fields: &mut Fields<'_>, file: &str) -> Scenario {
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = stem.unwrap_or_default();
    let title = fields.read_or("title", name.clone(), units::text);
    let look_for = fields.read_or("look_for", String::new(), units::text);
    let duration = size::duration(fields, DEFAULT_DURATION);
    let warm_up = size::warm_up(fields, duration);
    let interval = size::interval(fields, DEFAULT_INTERVAL, duration);
    let policies = policies::policies(fields);
    let mut names = Names::default();
    names.policies = policies
        .as_ref()
        .map(|policies| policies.iter().map(|policy| policy.name.clone()).collect());
    let servers = servers::servers(fields, &mut names);
    let clients = clients::clients(fields, &mut names);
    let scenario = Scenario {
        name,
        title,
        look_for,
        duration: duration.unwrap_or_default(),
        warm_up: warm_up.unwrap_or_default(),
        interval,
        policies: policies.unwrap_or_default(),
        network: network::network(fields, &names),
        servers,
        clients,
        events: events::events(fields, &names, duration),
        limits: limits::limits(fields, &names, warm_up, duration),
    };
    size::check(fields, &scenario);
    scenario
}
