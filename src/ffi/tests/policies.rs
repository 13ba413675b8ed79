//! Policies for these tests.

use super::*;

/// Policies for these tests, registered once in the process.
pub(super) fn register_test_policies() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let policies: [Arc<dyn PolicyFactory>; 5] = [
            Arc::new(LeafFactory::<Descriptors>::new()),
            Arc::new(LeafFactory::<Paths>::new()),
            Arc::new(LeafFactory::<Reports>::new()),
            Arc::new(Timers),
            Arc::new(Panics),
        ];
        for policy in policies {
            crate::policies::registry().register(policy).unwrap();
        }
    });
}

/// Fails picks with what is known of the first backend.
struct Descriptors;

struct Words(String);

impl Picker for Words {
    fn pick<'a>(&'a self, _: &Call<'_>) -> Pick<'a> {
        Pick::fail(Status::unavailable(self.0.clone()))
    }
}

impl BuiltIn for Descriptors {
    const NAME: &'static str = "test_descriptors";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Descriptors
    }
}

impl PickerFactory for Descriptors {
    type Config = ();

    fn build(&mut self, _: &Arc<()>, ready: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Words(format!("{:?}", ready.backends().next().unwrap().descriptor)))
    }
}

/// Drops calls with their path, and panics at one.
struct Paths;

impl Picker for Paths {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        assert!(call.path != "/boom", "boom");
        Pick::drop(Status::unavailable(format!("path {}", call.path)))
    }

    fn wants(&self) -> Wants {
        Wants { path: true, ..Wants::default() }
    }
}

impl BuiltIn for Paths {
    const NAME: &'static str = "test_path";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Paths
    }
}

impl PickerFactory for Paths {
    type Config = ();

    fn build(&mut self, _: &Arc<()>, _: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Paths)
    }
}

/// Wants load reports, which it logs, and request hashes, with which it drops calls.
struct Reports;

impl Picker for Reports {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        Pick::drop(Status::unavailable(format!("hash {:?}", call.request_hash)))
    }

    fn wants(&self) -> Wants {
        Wants { request_hash: true, ..Wants::default() }
    }
}

impl BuiltIn for Reports {
    const NAME: &'static str = "test_reports";

    fn parse(_: &mut Fields<'_>) {}

    fn new(_: &dyn Helper) -> Self {
        Reports
    }
}

impl PickerFactory for Reports {
    type Config = ();

    fn configure(&mut self, _: &Arc<()>, helper: &Arc<dyn Helper>) {
        helper.request_load_reports(Some(std::time::Duration::from_millis(3)));
    }

    fn load_report(&mut self, of: &EndpointDescriptor, metrics: &Metrics, helper: &dyn Helper) {
        let text = format!("{} {metrics:?}", of.addresses[0]);
        helper.log(crate::Severity::Info, &text);
    }

    fn build(&mut self, _: &Arc<()>, _: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(Reports)
    }
}

/// Starts two timers at an update and cancels the second.
struct Timers;

struct TimersPolicy(Arc<dyn Helper>);

impl PolicyFactory for Timers {
    fn name(&self) -> &str {
        "test_timers"
    }

    fn parse_config(
        &self,
        _: &Value,
        _: &dyn crate::policy::Policies,
    ) -> Result<Config, ConfigError> {
        Ok(Arc::new(()))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(TimersPolicy(helper))
    }
}

impl Policy for TimersPolicy {
    fn update(&mut self, _: &crate::policy::Update) -> Result<(), Status> {
        self.0.start_timer(std::time::Duration::from_nanos(5));
        let second = self.0.start_timer(std::time::Duration::MAX);
        self.0.cancel_timer(second);
        let picker = Box::new(crate::policy::QueuePicker);
        let connecting = crate::endpoints::Connectivity::Connecting;
        self.0.update_state(connecting, &Status::OK, picker);
        Ok(())
    }

    fn endpoint_report(
        &mut self,
        _: crate::endpoints::EndpointId,
        _: crate::endpoints::Report,
    ) -> bool {
        false
    }

    fn reset_backoff(&mut self) {}

    fn timer(&mut self, timer: crate::policy::TimerId) {
        let words = format!("timer {} at {:?}, random {}", timer.0, self.0.now(), self.0.random());
        self.0.log(crate::Severity::Info, &words);
    }
}

/// Panics when it parses its config.
struct Panics;

impl PolicyFactory for Panics {
    fn name(&self) -> &str {
        "test_panics"
    }

    fn parse_config(
        &self,
        _: &Value,
        _: &dyn crate::policy::Policies,
    ) -> Result<Config, ConfigError> {
        panic!("the config")
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(TimersPolicy(helper))
    }
}
