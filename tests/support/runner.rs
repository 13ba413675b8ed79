//! The policy's runner, called as hosts call it.

use std::sync::Arc;

use steer::Status;
use steer::calls::Metrics;
use steer::endpoints::{EndpointId, Report};
use steer::policy::{TimerId, Update};
use steer::stats::Fallback;
use steer::virtual_host::VirtualChannel;

use super::watch::ChannelWatch;

/// A runner. Each call is made as a serialised call of a host.
pub struct SerialisedRunner {
    /// `None` only while it is dropped.
    channel: Option<VirtualChannel>,
    watch: Arc<ChannelWatch>,
}

impl SerialisedRunner {
    pub(super) fn new(channel: VirtualChannel, watch: Arc<ChannelWatch>) -> SerialisedRunner {
        SerialisedRunner { channel: Some(channel), watch }
    }

    pub(super) fn channel(&self) -> &VirtualChannel {
        self.channel.as_ref().expect("present until it is dropped")
    }

    pub(super) fn event<R>(&self, call: impl FnOnce(&VirtualChannel) -> R) -> R {
        self.watch.turn.within("event", || call(self.channel()))
    }

    pub fn update(&self, update: Update) -> Result<(), Status> {
        self.event(|channel| channel.update(update))
    }

    pub fn endpoint_report(&self, endpoint: EndpointId, report: Report) -> bool {
        self.event(|channel| channel.runner().endpoint_report(endpoint, report))
    }

    pub fn load_report(&self, endpoint: EndpointId, metrics: Metrics) -> bool {
        self.event(|channel| channel.runner().load_report(endpoint, metrics))
    }

    pub fn exit_idle(&self) {
        self.event(|channel| channel.runner().exit_idle());
    }

    pub fn reset_backoff(&self) {
        self.event(|channel| channel.runner().reset_backoff());
    }

    pub fn timer(&self, timer: TimerId) {
        self.event(|channel| channel.runner().timer(timer));
    }

    pub fn run(&self) {
        self.event(|channel| channel.runner().run());
    }

    pub fn close(&self) {
        self.watch.turn.within("free", || self.channel().runner().close());
    }

    pub fn faults(&self) -> u64 {
        self.channel().runner().faults()
    }

    pub fn fallback(&self) -> Option<Fallback> {
        self.channel().runner().fallback()
    }
}

impl Drop for SerialisedRunner {
    fn drop(&mut self) {
        let channel = self.channel.take();
        self.watch.turn.within("free", || drop(channel));
    }
}
