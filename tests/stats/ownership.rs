//! Sources of statistics own no object of the host.

use super::*;

/// The host of one policy, without a runner. Keeps its source of statistics, and its picker.
#[derive(Default)]
struct Host {
    made: Mutex<u64>,
    source: Mutex<Option<Arc<dyn StatsSource>>>,
    picker: Mutex<Option<Box<dyn Picker>>>,
}

struct HostsEndpoint(EndpointId);

impl Endpoint for HostsEndpoint {
    fn id(&self) -> EndpointId {
        self.0
    }
    fn matches(&self, _: &EndpointDescriptor) -> bool {
        true
    }
    fn connect(&self) {}
    fn reset_backoff(&self) {}
}

impl Helper for Host {
    fn create_endpoint(&self, _: &Arc<EndpointDescriptor>) -> Result<Box<dyn Endpoint>, Status> {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        Ok(Box::new(HostsEndpoint(EndpointId(*made))))
    }
    fn update_state(&self, _: Connectivity, _: &Status, picker: Box<dyn Picker>) {
        let former = self.picker.lock().unwrap().replace(picker);
        drop(former);
    }
    fn request_reresolution(&self) {}
    fn start_timer(&self, _: Duration) -> TimerId {
        TimerId(1)
    }
    fn cancel_timer(&self, _: TimerId) {}
    fn set_stats_source(&self, source: Arc<dyn StatsSource>) {
        *self.source.lock().unwrap() = Some(source);
    }
    fn register_child(
        &self,
        _: &str,
        policy: &str,
        clock: std::sync::Weak<dyn steer::stats::Clock>,
    ) -> steer::stats::Registration {
        steer::stats::register(policy, None, clock)
    }
    fn request_load_reports(&self, _: Option<Duration>) {}
    fn load_reports_have_qps(&self) -> bool {
        true
    }
    fn wake(&self) -> bool {
        true
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn random(&self) -> u64 {
        7
    }
    fn log(&self, _: Severity, _: &str) {}
}

/// A snapshot may be taken on any thread, while the policy ends. So a source of statistics must not
/// be the last owner of a connection.
#[test]
fn a_source_of_statistics_owns_no_connection() {
    let _tracking = Tracking::set(true);
    for name in Registry::with_built_ins(steer::policies::built_ins()).names() {
        let factory = steer::policies::registry().find(&name).unwrap();
        let host = Arc::new(Host::default());
        let mut policy = factory.new_policy(Arc::clone(&host) as Arc<dyn Helper>);
        let endpoint = |address: &str| EndpointDescriptor {
            addresses: vec![address.to_owned()],
            ..EndpointDescriptor::default()
        };
        let list = ["a", "b"].map(endpoint).map(Arc::new);
        list.iter().zip(0..).for_each(|(descriptor, index)| descriptor.index.set(index));
        let update = Update {
            endpoints: Ok(Arc::from(list)),
            config: factory.parse_config(&json!({}), steer::policies::registry()).unwrap(),
            factory,
            common: Arc::default(),
            resolution_note: String::new(),
            target: String::new(),
            cluster: String::new(),
        };
        policy.update(&update).unwrap();
        let released = Arc::new(Mutex::new(0));
        let mut reported = 0;
        for number in [1, 2] {
            let count = Arc::clone(&released);
            let release = move |_: Handle| *count.lock().unwrap() += 1;
            let connection = Connection::new(Handle::from_number(number), Arc::new(release));
            let endpoint = EndpointId(number as u64);
            policy.endpoint_report(endpoint, Report::Connecting);
            reported += usize::from(policy.endpoint_report(endpoint, Report::Ready(connection)));
        }
        let source = host.source.lock().unwrap().take();
        drop(policy);
        drop(host.picker.lock().unwrap().take());
        assert_eq!(*released.lock().unwrap(), 2, "{name}, with {reported} READY endpoints");
        drop(source);
    }
}
