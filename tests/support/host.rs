//! The host's side of the engine's traits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use steer::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointId};
use steer::policy::{GuardedPicker, Host, Runner, TimerId};
use steer::stats::EndpointLease;
use steer::{Severity, Status};

use super::Asked;
use super::callbacks::{Turn, within};
use super::world::World;

/// The world, shared by the host that the engine owns and the test.
#[derive(Clone, Default)]
pub(super) struct VirtualHost {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) turn: Arc<Turn>,
}

impl VirtualHost {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // After a failed assertion, the engine must still be able to drop its objects.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Set after the host is made, because the runner owns the host.
pub(super) type LateRunner = Arc<Mutex<Option<Weak<Runner>>>>;

struct VirtualEndpoint {
    host: VirtualHost,
    lease: EndpointLease,
    descriptor: Arc<EndpointDescriptor>,
    runner: LateRunner,
}

impl VirtualEndpoint {
    fn name(&self) -> String {
        self.descriptor.addresses[0].clone()
    }
}

impl Endpoint for VirtualEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.host.turn.came("endpoint_matches");
        let world = self.host.world();
        *self.descriptor == *world.look_up(descriptor)
            && world.made_with[&self.id()] == world.args_of(&self.name())
    }

    fn connect(&self) {
        self.host.turn.came("endpoint_connect");
        let nested = {
            let mut world = self.host.world();
            world.asked.push(Asked::Connect(self.name()));
            world.on_connect
        };
        let runner = self.runner.lock().unwrap().as_ref().and_then(|runner| runner.upgrade());
        if let (Some(report), Some(runner)) = (nested, runner) {
            let report = || runner.endpoint_report(self.id(), report());
            assert!(self.host.turn.within("event", report), "a nested report was not queued");
        }
    }

    fn reset_backoff(&self) {
        self.host.turn.came("endpoint_reset_backoff");
        self.host.world().asked.push(Asked::ResetBackoff(self.name()));
    }
}

impl Drop for VirtualEndpoint {
    fn drop(&mut self) {
        let name = self.name();
        self.host.turn.came("endpoint_free");
        let mut world = self.host.world();
        world.asked.push(Asked::Dropped(name));
        assert!(world.endpoints.remove(&self.id()).is_some(), "dropped twice");
        world.silent.remove(&self.id());
    }
}

/// The host that the engine owns.
pub(super) struct ChannelHost {
    pub(super) host: VirtualHost,
    pub(super) runner: LateRunner,
}

impl Host for ChannelHost {
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        self.host.turn.came("endpoint_new");
        let mut world = self.host.world();
        let descriptor = world.look_up(descriptor);
        let name = descriptor.addresses[0].clone();
        if world.refused.contains(&name) {
            return Err(Status::unavailable("refused"));
        }
        world.asked.push(Asked::New(name.clone()));
        let id = lease.id();
        let args = world.args_of(&name);
        world.made_with.insert(id, args);
        world.endpoints.insert(id, name);
        world.silent.insert(id);
        Ok(Box::new(VirtualEndpoint {
            host: self.host.clone(),
            lease,
            descriptor,
            runner: Arc::clone(&self.runner),
        }))
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker) {
        self.host.turn.came("update_state");
        let former = {
            let mut world = self.host.world();
            world.asked.push(Asked::State(state));
            world.state = Some((state, status.clone()));
            world.picker.replace(Arc::new(picker))
        };
        // Without the lock: its connections are given back to this world.
        within("picker free", || drop(former));
    }

    fn request_reresolution(&self) {
        self.host.turn.came("request_reresolution");
        self.host.world().asked.push(Asked::Reresolve);
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        self.host.turn.came("load_reports");
        self.host.world().asked.push(Asked::LoadReports(period));
    }

    fn made_with(&self) -> Option<u64> {
        let world = self.host.world();
        (!world.unnumbered).then_some(world.args.into())
    }

    fn run_later(&self) -> bool {
        self.host.turn.came("run_later");
        let mut world = self.host.world();
        world.asked.push(Asked::RunLater);
        !world.cannot_run_later
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        self.host.turn.came("timer_start");
        let mut world = self.host.world();
        world.asked.push(Asked::StartTimer(after));
        let due = world.now + after;
        world.timers.insert(timer, due);
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.host.turn.came("timer_cancel");
        let mut world = self.host.world();
        world.asked.push(Asked::CancelTimer);
        world.timers.remove(&timer);
    }

    fn now(&self) -> Duration {
        self.host.world().now
    }

    fn random(&self) -> u64 {
        self.host.world().random.next()
    }

    fn log(&self, _severity: Severity, message: &str) {
        self.host.world().asked.push(Asked::Log(message.to_owned()));
    }
}
