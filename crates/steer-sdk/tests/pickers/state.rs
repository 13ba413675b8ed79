//! Tests the state that a factory keeps for each channel and backend.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use steer_sdk::testkit::TestCall;
use steer_sdk::{
    Backend, Backends, Channel, Helper, NoConfig, Pick, Picker, StatefulPickerFactory, picker,
};

use crate::ready_channel;

/// The number of states of all channels with [`Remembering`]. A test that makes such a channel
/// holds the lock.
static STATES_ALIVE: AtomicI64 = AtomicI64::new(0);
pub(crate) static REMEMBERING_IN_USE: Mutex<()> = Mutex::new(());

pub(crate) struct Remembered {
    number: usize,
    picks: AtomicU64,
}

impl Drop for Remembered {
    fn drop(&mut self) {
        STATES_ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Chooses the backend that all pickers together have chosen least often.
pub(crate) struct Remembering;

impl StatefulPickerFactory for Remembering {
    const NAME: &'static str = "remembering";
    type Config = NoConfig;
    type ChannelState = usize;
    type BackendState = Remembered;

    fn new_channel(&self, _channel: &Channel) -> usize {
        0
    }

    fn new_backend(&self, made: &mut usize, _backend: &Backend) -> Remembered {
        *made += 1;
        STATES_ALIVE.fetch_add(1, Ordering::Relaxed);
        Remembered { number: *made, picks: AtomicU64::new(0) }
    }

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends<Remembered>,
        made: &mut usize,
        _helper: &Helper<'_>,
    ) -> impl Picker {
        assert!(backends.iter().all(|backend| backend.state().number <= *made));
        picker(move |_| {
            let picks = |one: &&Backend<Remembered>| one.state().picks.load(Ordering::Relaxed);
            let least = backends.iter().min_by_key(picks).expect("there is one");
            least.state().picks.fetch_add(1, Ordering::Relaxed);
            Pick::complete(least)
        })
    }
}

#[test]
fn the_state_of_a_backend_outlives_pickers_and_is_freed_with_the_backend() {
    let _lock = REMEMBERING_IN_USE.lock().unwrap();
    let channel = ready_channel("remembering", "{}", "a");
    assert_eq!(channel.picks(10, &TestCall::new()).count("a"), 10);
    // A new backend catches up, because the counts of the old ones are kept.
    channel.resolve(["a", "b"]);
    channel.all_ready();
    let distribution = channel.picks(12, &TestCall::new());
    assert_eq!((distribution.count("a"), distribution.count("b")), (1, 11));
    // A lost connection does not reset the state.
    channel.idle("a");
    channel.all_ready();
    assert_eq!(channel.picks(2, &TestCall::new()).count("a"), 1);
    assert_eq!(STATES_ALIVE.load(Ordering::Relaxed), 2);
    // The state of a backend that has left is freed.
    channel.resolve(["b"]);
    assert_eq!(channel.picks(1, &TestCall::new()).count("b"), 1);
    channel.resolve(["a", "b"]);
    channel.all_ready();
    assert_eq!(channel.picks(10, &TestCall::new()).count("a"), 10);
    assert_eq!(channel.faults(), 0);
    drop(channel);
    assert_eq!(STATES_ALIVE.load(Ordering::Relaxed), 0);
}
