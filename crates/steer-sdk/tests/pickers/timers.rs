//! Tests timers, wakes from other threads, the clock, random numbers and the log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steer_sdk::testkit::{Picked, TestCall};
use steer_sdk::{
    Backend, Backends, Channel, Code, Helper, NoConfig, Pick, Picker, Severity,
    StatefulPickerFactory, TimerId, picker,
};

use crate::ready_channel;

/// Lets calls wait until a timer expires, and starts another timer then.
pub(crate) struct Timed;

impl StatefulPickerFactory for Timed {
    const NAME: &'static str = "timed";
    type Config = NoConfig;
    type ChannelState = (Option<TimerId>, bool);
    type BackendState = ();

    fn new_channel(&self, _channel: &Channel) -> (Option<TimerId>, bool) {
        (None, false)
    }

    fn new_backend(&self, _state: &mut (Option<TimerId>, bool), _backend: &Backend) {
        unreachable!("there is nothing to remember");
    }

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends,
        state: &mut (Option<TimerId>, bool),
        helper: &Helper<'_>,
    ) -> impl Picker {
        assert_eq!(backends[0].state(), &());
        if let Some(timer) = state.0.take() {
            helper.cancel_timer(timer);
        }
        state.0 = helper.start_timer(Duration::from_secs(5));
        let (open, channel) = (state.1, (*helper).clone());
        picker(move |_| match open {
            true => Pick::complete(&backends[channel.random() as usize % backends.len()]),
            false => Pick::queue(),
        })
    }

    fn timer(&self, timer: TimerId, state: &mut (Option<TimerId>, bool), helper: &Helper<'_>) {
        assert_eq!(state.0.take(), Some(timer));
        helper.log(Severity::Info, &format!("open at {:?}", helper.now()));
        state.1 = true;
        helper.request_rebuild();
    }
}

#[test]
fn timers_run_out_in_virtual_time() {
    let channel = ready_channel("timed", "{}", "ab");
    let call = TestCall::new();
    assert!(matches!(channel.pick(&call), Picked::Queue));
    channel.advance(Duration::from_secs(3));
    // A new picker starts its timer again.
    channel.configure("{}").unwrap();
    channel.advance(Duration::from_secs(4));
    assert!(matches!(channel.pick(&call), Picked::Queue));
    channel.advance(Duration::from_secs(1));
    assert!(channel.pick(&call).backend().is_some());
    let infos: Vec<_> = channel.log();
    assert_eq!(infos, [(Severity::Info, "open at 9s".to_owned())]);

    // The test controls the random numbers.
    let backends = |_| channel.pick(&call).backend().map(str::to_owned);
    channel.seed(7);
    let first: Vec<_> = (0..20).map(backends).collect();
    channel.seed(7);
    assert_eq!(first, (0..20).map(backends).collect::<Vec<_>>());
    let distribution = channel.picks(1000, &call);
    assert!(distribution.chi_square(&[("a", 1.0), ("b", 1.0)]) > 0.001, "{distribution:?}");
    assert_eq!(channel.faults(), 0);
}

/// Leaves a backend out once a call to it has failed, and forgets that after 5 s.
pub(crate) struct Ejecting;

/// The backends that are left out, by address. A channel that a call's end wakes.
type Ejected = Arc<Mutex<BTreeSet<String>>>;

impl StatefulPickerFactory for Ejecting {
    const NAME: &'static str = "ejecting";
    type Config = NoConfig;
    type ChannelState = Ejected;
    type BackendState = ();

    fn new_channel(&self, channel: &Channel) -> Ejected {
        CHANNELS.lock().unwrap().push(channel.clone());
        Ejected::default()
    }

    fn new_backend(&self, _state: &mut Ejected, _backend: &Backend) {}

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends,
        state: &mut Ejected,
        helper: &Helper<'_>,
    ) -> impl Picker {
        let (ejected, channel) = (Arc::clone(state), (*helper).clone());
        let chosen = backends.iter().find(|one| !state.lock().unwrap().contains(one.address()));
        let chosen = chosen.map(|one| (one.index(), one.address().to_owned()));
        picker(move |_| {
            let Some((index, address)) = chosen.clone() else { return Pick::queue() };
            let (ejected, channel) = (Arc::clone(&ejected), channel.clone());
            Pick::complete(&backends[index]).on_finish(move |end| {
                let failed = end.code().is_some_and(|code| code != Code::Ok);
                if failed && ejected.lock().unwrap().insert(address) {
                    assert!(
                        channel.wake() && channel.start_timer(Duration::from_secs(5)).is_some()
                    );
                }
            })
        })
    }

    fn woken(&self, _state: &mut Ejected, helper: &Helper<'_>) {
        helper.log(Severity::Info, "woken");
        helper.request_rebuild();
    }

    fn timer(&self, _timer: TimerId, state: &mut Ejected, helper: &Helper<'_>) {
        state.lock().unwrap().clear();
        helper.request_rebuild();
    }
}

/// The channels of `Ejecting`, for the test's threads.
static CHANNELS: Mutex<Vec<Channel>> = Mutex::new(Vec::new());

#[test]
fn the_end_of_a_call_and_other_threads_lead_to_a_new_picker() {
    let channel = ready_channel("ejecting", "{}", "ab");
    let call = TestCall::new();
    let picked = [channel.pick(&call), channel.pick(&call)];
    for one in picked {
        assert_eq!(one.backend(), Some("a"));
        one.finish(Code::Internal);
    }
    channel.advance(Duration::ZERO);
    assert_eq!(channel.pick(&call).backend(), Some("b"));
    let woken = || channel.log().iter().filter(|(_, text)| text == "woken").count();
    assert_eq!(woken(), 1);
    channel.advance(Duration::from_secs(5));
    assert_eq!(channel.pick(&call).backend(), Some("a"));

    // A thread of the application, for which the channel is kept.
    let kept = CHANNELS.lock().unwrap().pop().unwrap();
    let thread = kept.clone();
    std::thread::spawn(move || assert!(thread.wake())).join().unwrap();
    channel.advance(Duration::ZERO);
    assert_eq!((woken(), channel.faults()), (2, 0));
    drop(channel);
    assert!(!kept.wake() && kept.start_timer(Duration::ZERO).is_none());
}
