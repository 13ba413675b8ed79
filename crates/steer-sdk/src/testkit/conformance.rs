//! Checks the rules that every picker must follow.
//!
//! Must not depend on: any picker.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{TestCall, TestChannel};
use crate::{Code, Library, Severity, State, Status};

/// Checks the rules that every picker must follow. It has no fault, with any backends, configs,
/// calls and threads. It picks only READY backends. It releases the backends that it does not use
/// any more.
pub struct Conformance {
    library: &'static Library,
    policy: String,
    config: String,
    call: Box<dyn Fn(u64) -> TestCall + Sync>,
}

/// The rules that a picker broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonconformance(Vec<String>);

impl fmt::Display for Nonconformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl fmt::Debug for Nonconformance {
    /// The same text as `Display`, because `unwrap` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Nonconformance {}

type Outcome = Result<(), String>;
type Check = fn(&Conformance) -> Outcome;

fn require(held: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if held { Ok(()) } else { Err(otherwise()) }
}

fn address(number: usize) -> String {
    format!("ipv4:10.0.{}.{}:80", number / 250, number % 250 + 1)
}

fn addresses(count: usize) -> Vec<String> {
    (0..count).map(address).collect()
}

impl Conformance {
    /// Makes the checks for this policy of the library. `config` is a valid config.
    pub fn new(library: &'static Library, policy: &str, config: &str) -> Conformance {
        Conformance {
            library,
            policy: policy.to_owned(),
            config: config.to_owned(),
            call: Box::new(|_| TestCall::new()),
        }
    }

    /// Sets how calls are made, by their number. By default, they have no headers.
    pub fn calls(mut self, call: impl Fn(u64) -> TestCall + Sync + 'static) -> Conformance {
        self.call = Box::new(call);
        self
    }

    /// Runs all checks.
    pub fn check(&self) -> Result<(), Nonconformance> {
        let checks: [(&str, Check); 8] = [
            ("the config", Conformance::config),
            ("no backend", Conformance::no_backend),
            ("one, two, and many backends", Conformance::few_and_many),
            ("backends that come and go", Conformance::states),
            ("repeated lists", Conformance::lists),
            ("calls that end, and calls that do not", Conformance::calls_end),
            ("picks during changes", Conformance::threads),
            ("releasing connections", Conformance::letting_go),
        ];
        let broken = checks.iter().filter_map(|(what, check)| {
            check(self).err().map(|why| format!("{}: {what}: {why}", self.policy))
        });
        let broken: Vec<String> = broken.collect();
        if broken.is_empty() { Ok(()) } else { Err(Nonconformance(broken)) }
    }

    fn channel(&self) -> Result<TestChannel, String> {
        TestChannel::new(self.library, &self.policy, &self.config)
    }

    fn call(&self, number: u64) -> TestCall {
        (self.call)(number)
    }

    /// Requires that the policy had no fault.
    fn sound(&self, channel: &TestChannel) -> Outcome {
        require(channel.faults() == 0, || {
            let log = channel.log();
            let error = log.iter().find(|(severity, _)| *severity == Severity::Error);
            error.map_or("it had a fault without a message", |(_, text)| text).to_owned()
        })
    }

    /// Picks `count` times, and requires READY backends and no fault.
    fn picks(&self, channel: &TestChannel, count: u64) -> Outcome {
        let ready: BTreeSet<String> = channel.ready_backends().into_iter().collect();
        for number in 0..count {
            let picked = channel.pick(&self.call(number));
            if let Some(backend) = picked.backend() {
                require(ready.contains(backend), || {
                    format!("call {number} went to {backend}, which is not READY")
                })?;
            }
            picked.finish(Code::Ok);
        }
        self.sound(channel)
    }

    fn config(&self) -> Outcome {
        self.channel()?;
        // A config without fields is valid, or its error names a field.
        match TestChannel::new(self.library, &self.policy, "{}") {
            Ok(channel) => self.sound(&channel),
            Err(why) => require(why.contains("field:"), || {
                format!("the config {{}} is rejected, and the error names no field: {why}")
            }),
        }?;
        let channel = self.channel()?;
        channel.resolve(addresses(2));
        channel.all_ready();
        for _ in 0..3 {
            channel.configure(&self.config)?;
            self.picks(&channel, 10)?;
        }
        Ok(())
    }

    fn no_backend(&self) -> Outcome {
        let channel = self.channel()?;
        self.picks(&channel, 10)?;
        channel.resolve(Vec::<String>::new());
        self.picks(&channel, 10)?;
        require(channel.state() == Some(State::TransientFailure), || {
            format!("without a backend its state is {:?}", channel.state())
        })?;
        channel.resolver_fails(&Status::unavailable("no resolver"));
        self.picks(&channel, 10)?;
        channel.resolve(addresses(1));
        channel.all_ready();
        channel.resolver_fails(&Status::unavailable("no resolver"));
        self.picks(&channel, 10)
    }

    fn few_and_many(&self) -> Outcome {
        for count in [1, 2, 3, 100] {
            let channel = self.channel()?;
            channel.resolve(addresses(count));
            self.picks(&channel, 10)?;
            channel.all_ready();
            self.picks(&channel, 1000)?;
            require(channel.state() == Some(State::Ready), || {
                format!("with {count} backends READY its state is {:?}", channel.state())
            })?;
        }
        Ok(())
    }

    fn states(&self) -> Outcome {
        let channel = self.channel()?;
        channel.resolve(addresses(5));
        // Each backend passes through every state; then all fail, and all become READY.
        let changes: [fn(&TestChannel, &str); 5] = [
            TestChannel::ready,
            TestChannel::ready,
            TestChannel::idle,
            TestChannel::connecting,
            TestChannel::fails,
        ];
        for round in 0..5 {
            for number in 0..5 {
                changes[(round + number) % changes.len()](&channel, &address(number));
                self.picks(&channel, 20)?;
            }
        }
        for number in 0..5 {
            channel.fails(&address(number));
            self.picks(&channel, 20)?;
        }
        channel.all_ready();
        self.picks(&channel, 20)?;
        for _ in 0..10 {
            channel.advance(Duration::from_secs(600));
            self.picks(&channel, 20)?;
        }
        Ok(())
    }

    fn lists(&self) -> Outcome {
        let channel = self.channel()?;
        let twice: Vec<String> = addresses(3).into_iter().chain(addresses(3)).collect();
        let backwards: Vec<String> = addresses(3).into_iter().rev().collect();
        let lists = [addresses(3), addresses(3), twice, backwards, Vec::new(), Vec::new()];
        for list in lists.iter().chain(&lists) {
            channel.resolve(list.clone());
            self.picks(&channel, 20)?;
            channel.all_ready();
            self.picks(&channel, 20)?;
        }
        Ok(())
    }

    fn calls_end(&self) -> Outcome {
        let channel = self.channel()?;
        channel.resolve(addresses(3));
        channel.all_ready();
        let mut unfinished = Vec::new();
        for number in 0..400 {
            let mut picked = channel.pick(&self.call(number));
            channel.advance(Duration::from_millis(1));
            match number % 5 {
                0 => picked.finish(Code::Ok),
                1 => picked.finish(Code::Unavailable),
                // Abandoned before the call starts, and after.
                2 => drop(picked),
                3 => {
                    picked.start();
                    drop(picked);
                }
                _ => {
                    picked.start();
                    unfinished.push(picked);
                }
            }
        }
        self.sound(&channel)?;
        // Remove the backends of the unfinished calls, and then close the channel.
        channel.resolve(addresses(1));
        self.picks(&channel, 20)?;
        unfinished.drain(..20).for_each(|picked| picked.finish(Code::Ok));
        channel.close();
        unfinished.drain(..20).for_each(|picked| picked.finish(Code::Ok));
        drop(unfinished);
        self.sound(&channel)
    }

    fn threads(&self) -> Outcome {
        let channel = self.channel()?;
        channel.resolve(addresses(4));
        channel.all_ready();
        let done = AtomicBool::new(false);
        let known: BTreeSet<String> = addresses(8).into_iter().collect();
        std::thread::scope(|scope| {
            let pickers: Vec<_> = (0..4)
                .map(|thread| {
                    let (channel, known, done) = (&channel, &known, &done);
                    scope.spawn(move || {
                        let mut number = thread;
                        // Relaxed: it only ends the loop, and orders no other memory.
                        while !done.load(Ordering::Relaxed) {
                            let picked = channel.pick(&self.call(number));
                            let unknown = picked.backend().filter(|one| !known.contains(*one));
                            if let Some(backend) = unknown {
                                return Err(format!("picked {backend}, which was never in a list"));
                            }
                            match number % 3 {
                                0 => drop(picked),
                                _ => picked.finish(Code::Ok),
                            }
                            number += 4;
                        }
                        Ok(())
                    })
                })
                .collect();
            for round in 0..100 {
                channel.resolve(addresses(1 + round % 8));
                channel.all_ready();
                channel.idle(&address(round % 4));
                channel.advance(Duration::from_millis(10));
                std::thread::yield_now();
            }
            done.store(true, Ordering::Relaxed);
            pickers.into_iter().try_for_each(|thread| match thread.join() {
                Ok(outcome) => outcome,
                Err(_) => Err("a pick panicked out of the engine".to_owned()),
            })
        })?;
        self.sound(&channel)
    }

    fn letting_go(&self) -> Outcome {
        let channel = self.channel()?;
        channel.resolve(addresses(10));
        channel.all_ready();
        self.picks(&channel, 100)?;
        // One backend is left: no picker, endpoint or call may hold the others.
        channel.resolve(addresses(1));
        self.picks(&channel, 100)?;
        channel.advance(Duration::from_secs(3600));
        self.picks(&channel, 1)?;
        let held = channel.held_connections();
        require(held <= 1, || format!("with one backend left, {held} connections are held"))
    }
}

impl fmt::Debug for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("policy", &self.policy)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
