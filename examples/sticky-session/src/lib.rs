//! `sticky_session`: all calls of a session go to one backend, as long as it is READY. A header
//! names the session. Calls without it go to any backend.
//!
//! For each session, a hash of session and backend ranks the backends, and the first one is chosen
//! ("rendezvous hashing"). So all clients choose the same backend, and when a backend leaves, only
//! its sessions move.

use steer_sdk::{Backend, Backends, Channel, Pick, Picker, PickerFactory, Wants, picker};
use twox_hash::XxHash64;

#[derive(serde::Deserialize)]
struct Config {
    /// The name of the header.
    header: String,
}

struct StickySession;

impl PickerFactory for StickySession {
    const NAME: &'static str = "sticky_session";
    type Config = Config;

    fn build(&self, config: &Config, backends: Backends, channel: &Channel) -> impl Picker {
        let (header, channel) = (config.header.clone(), channel.clone());
        let wants = Wants::nothing().header(&header);
        picker(move |call| {
            let session = match call.header(&header) {
                Some(session) => XxHash64::oneshot(0, session.as_bytes()),
                None => channel.random(),
            };
            let rank =
                |backend: &&Backend| XxHash64::oneshot(session, backend.hash_key().as_bytes());
            backends.iter().max_by_key(rank).map_or(Pick::queue(), Pick::complete)
        })
        .wants(wants)
    }
}

steer_sdk::steer_plugin! { name: "sticky session", pickers: [StickySession] }

#[cfg(test)]
mod tests {
    use steer_sdk::testkit::{Conformance, TestCall, TestChannel};

    use super::plugin;

    const CONFIG: &str = r#"{"header": "session-id"}"#;

    fn session(number: u64) -> TestCall {
        TestCall::new().header("session-id", number.to_string())
    }

    /// Returns the server of each of 1000 sessions.
    fn servers(channel: &TestChannel) -> Vec<String> {
        let server = |number| {
            let picked = channel.pick(&session(number));
            let server = picked.backend().map(str::to_owned);
            assert_eq!(channel.pick(&session(number)).backend(), server.as_deref());
            server.unwrap()
        };
        (0..1000).map(server).collect()
    }

    #[test]
    fn only_the_sessions_of_a_backend_that_leaves_move() {
        let channel = TestChannel::new(plugin(), "sticky_session", CONFIG).unwrap();
        channel.resolve(["a", "b", "c"]);
        channel.all_ready();
        let before = servers(&channel);
        channel.fails("b");
        for (before, after) in before.iter().zip(servers(&channel)) {
            assert_eq!(*before != after, before == "b");
        }
        channel.ready("b");
        assert_eq!(before, servers(&channel));
    }

    #[test]
    fn sessions_and_calls_without_a_session_are_spread_evenly() {
        let channel = TestChannel::new(plugin(), "sticky_session", CONFIG).unwrap();
        channel.resolve(["a", "b", "c"]);
        channel.all_ready();
        let fair = [("a", 1.0), ("b", 1.0), ("c", 1.0)];
        assert!(channel.picks(3000, &TestCall::new()).chi_square(&fair) > 0.001);
        let servers = servers(&channel);
        for (name, _) in fair {
            let count = servers.iter().filter(|server| *server == name).count();
            assert!((270..400).contains(&count), "{count} of 1000 sessions at {name}");
        }
    }

    #[test]
    fn it_conforms() {
        Conformance::new(plugin(), "sticky_session", CONFIG).calls(session).check().unwrap();
    }
}
