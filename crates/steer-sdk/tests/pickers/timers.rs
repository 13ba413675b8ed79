//! Tests timers, the clock, random numbers and the log.

use std::time::Duration;

use steer_sdk::testkit::{Picked, TestCall};
use steer_sdk::{
    Backend, Backends, Channel, Helper, NoConfig, Pick, Picker, Severity, StatefulPickerFactory,
    TimerId, picker,
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
