//! Checks where the engine calls back: on which thread, and within which of its functions. The
//! rules are in `host_callbacks.inc`. A callback that breaks a rule panics, which fails the test.
//!
//! A fake host calls the engine through [`within`] or [`Turn::within`], and calls [`came`] or
//! [`Turn::came`] in each callback.
#![allow(dead_code, unreachable_pub, reason = "each fake host uses a part of it, as a module")]

use std::cell::RefCell;
use std::sync::{LazyLock, Mutex};
use std::thread::{self, ThreadId};

/// The rule of one callback in `host_callbacks.inc`.
#[derive(Debug)]
pub struct Rule {
    pub callback: &'static str,
    pub serialised: bool,
    /// The functions that it may come within, by the names of [`within`]. "none" means outside of
    /// all.
    pub within: Vec<&'static str>,
}

impl Rule {
    fn allows(&self, function: &str) -> bool {
        self.within == ["anywhere"] || self.within.contains(&function)
    }
}

/// All rules, in the order of the file.
pub fn rules() -> Vec<Rule> {
    let lines = include_str!("host_callbacks.inc").lines();
    let rules = lines.filter_map(|line| line.strip_prefix("STEER_HOST_CALLBACK("));
    let rule = |rule: &'static str| {
        let rule = rule.strip_suffix(')').expect("one rule on each line");
        let [callback, threads, within] = rule.splitn(3, ", ").collect::<Vec<_>>()[..] else {
            panic!("not a rule: {rule}");
        };
        let within = within.trim_matches('"').split(", ").collect();
        assert!(["SERIALISED", "ANY"].contains(&threads), "{rule}");
        Rule { callback, serialised: threads == "SERIALISED", within }
    };
    rules.map(rule).collect()
}

fn rule_of(callback: &str) -> &'static Rule {
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(rules);
    let found = RULES.iter().find(|rule| rule.callback == callback);
    found.unwrap_or_else(|| panic!("host_callbacks.inc has no rule for {callback}"))
}

thread_local! {
    /// The functions of the engine that this thread is in, the innermost last.
    static FUNCTIONS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// The function of the engine that this thread is in.
pub fn innermost() -> &'static str {
    FUNCTIONS.with_borrow(|functions| functions.last().copied().unwrap_or("none"))
}

/// Calls a function of the engine: "new", "event", "free", "pick", "picker free", "tracker",
/// "tracker free" or "statistics".
pub fn within<R>(function: &'static str, call: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            FUNCTIONS.with_borrow_mut(|functions| functions.pop());
        }
    }
    FUNCTIONS.with_borrow_mut(|functions| functions.push(function));
    let _leave = Leave;
    call()
}

/// Checks the rule of a callback that the engine makes now.
pub fn came(callback: &str) {
    let (rule, function) = (rule_of(callback), innermost());
    assert!(rule.allows(function), "{callback} came within: {function}; {rule:?}");
}

/// The serialised calls for one policy.
#[derive(Default)]
pub struct Turn(Mutex<State>);

#[derive(Default)]
struct State {
    /// The thread that makes one, and how many are nested.
    thread: Option<(ThreadId, usize)>,
    /// `steer_policy_free` was called. From then on, the engine only drops endpoints.
    freed: bool,
}

impl Turn {
    fn with<R>(&self, body: impl FnOnce(&mut State) -> R) -> R {
        body(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Makes a serialised call: "event" or "free".
    pub fn within<R>(&self, function: &'static str, call: impl FnOnce() -> R) -> R {
        struct Leave<'a>(&'a Turn);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.with(|state| {
                    let nested = state.thread.map_or(0, |(_, nested)| nested);
                    state.thread = (nested > 1).then(|| (thread::current().id(), nested - 1));
                });
            }
        }
        let here = thread::current().id();
        self.with(|state| {
            let (thread, nested) = state.thread.unwrap_or((here, 0));
            assert!(thread == here, "the host calls the engine from two threads at once");
            state.thread = Some((here, nested + 1));
            state.freed |= function == "free";
        });
        let _leave = Leave(self);
        within(function, call)
    }

    /// As [`came`], for this policy.
    pub fn came(&self, callback: &str) {
        came(callback);
        if rule_of(callback).serialised {
            self.with(|state| {
                let thread = state.thread.map(|(thread, _)| thread);
                assert!(thread == Some(thread::current().id()), "{callback} on another thread");
                assert!(
                    !state.freed || callback == "endpoint_free",
                    "{callback} after steer_policy_free"
                );
            });
        }
    }
}
