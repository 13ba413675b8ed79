//! Tests custom metrics: their values, their limits, and how long they live.

use steer_sdk::testkit::{MetricValue, TestCall};
use steer_sdk::{
    Backend, Backends, Channel, Counter, Gauge, Helper, Histogram, Metric, NoConfig, Pick, Picker,
    Registrar, Severity, StatefulPickerFactory, picker,
};

use crate::{errors, ready_channel};

pub(crate) struct Measured {
    /// Of the plugin.
    channels: Counter,
}

impl Measured {
    pub(crate) fn register(registrar: &mut Registrar) -> Result<(), steer_sdk::Error> {
        let metric = Metric::new("measured_channels").help("Channels so far");
        let channels = registrar.counter(&metric, &[])?;
        let refused = registrar.gauge(&Metric::new("Bad"), &[]).unwrap_err();
        assert!(!refused.is_limit());
        registrar.picker(Measured { channels })
    }
}

impl StatefulPickerFactory for Measured {
    const NAME: &'static str = "measured";
    type Config = NoConfig;
    type ChannelState = (Histogram, Gauge);
    type BackendState = ();

    fn new_channel(&self, channel: &Channel) -> (Histogram, Gauge) {
        self.channels.add(1);
        let sizes = Metric::new("sizes").bounds([1.0, 10.0]).help("Sizes");
        let depth = Metric::new("depth");
        (channel.histogram(&sizes, &[]).unwrap(), channel.gauge(&depth, &[]).unwrap())
    }

    fn new_backend(&self, _state: &mut (Histogram, Gauge), _backend: &Backend) {}

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends,
        state: &mut (Histogram, Gauge),
        _helper: &Helper<'_>,
    ) -> impl Picker {
        let (sizes, depth) = state.clone();
        picker(move |_| {
            sizes.record(4.0);
            depth.add(1.0);
            depth.add(-0.25);
            Pick::complete(&backends[0])
        })
    }
}

#[test]
fn values_are_those_that_were_written() {
    let channel = ready_channel(Measured::NAME, "{}", "a");
    channel.picks(4, &TestCall::new());
    let sizes = Some(MetricValue::Histogram { count: 4, sum: 16.0 });
    assert_eq!(channel.metric("sizes", &[]), sizes);
    assert_eq!(channel.metric("depth", &[]), Some(MetricValue::Number(3.0)));
    // That of the plugin is not the channel's.
    assert_eq!(channel.metric("measured_channels", &[]), None);
}

/// The same with a metric for each backend.
pub(crate) struct MeasuredBackends(pub(crate) u32);

impl StatefulPickerFactory for MeasuredBackends {
    const NAME: &'static str = "measured_backends";
    type Config = NoConfig;
    type ChannelState = Channel;
    type BackendState = Option<Counter>;

    fn new_channel(&self, channel: &Channel) -> Channel {
        channel.clone()
    }

    fn new_backend(&self, channel: &mut Channel, backend: &Backend) -> Option<Counter> {
        let metric = Metric::new("chosen").label("backend").most_series(self.0);
        let made = channel.counter(&metric, &[backend.address()]);
        if let Err(error) = &made {
            assert!(error.is_limit());
            channel.log(Severity::Error, &error.to_string());
        }
        made.ok()
    }

    fn build(
        &self,
        _config: &NoConfig,
        backends: Backends<Option<Counter>>,
        _channel: &mut Channel,
        _helper: &Helper<'_>,
    ) -> impl Picker {
        picker(move |_| {
            let last = &backends[backends.len() - 1];
            if let Some(chosen) = last.state() {
                chosen.add(1);
            }
            Pick::complete(last)
        })
    }
}

#[test]
fn the_statistics_show_the_metrics_of_a_backend_as_long_as_it_stays() {
    let channel = ready_channel(MeasuredBackends::NAME, "{}", "ab");
    let value = |backend| channel.metric("chosen", &[("backend", backend)]);
    channel.picks(3, &TestCall::new());
    let count = |count| Some(MetricValue::Count(count));
    assert_eq!((value("a"), value("b")), (count(0), count(3)));
    channel.resolve(["a"]);
    channel.all_ready();
    channel.picks(1, &TestCall::new());
    assert_eq!((value("a"), value("b")), (count(1), None));
    assert_eq!(channel.metric("chosen", &[]), None);
}

#[test]
fn a_limit_is_an_error_and_no_fault() {
    let channel = ready_channel(MeasuredBackends::NAME, "{}", "abc");
    let errors = errors(&channel);
    assert!(errors[0].contains("2 series already"), "{errors:?}");
    assert_eq!(channel.faults(), 0);
}
