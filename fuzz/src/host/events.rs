//! The other events of a channel: reports, timers, work.

use std::time::Duration;

use steer::calls::Metrics;
use steer::ffi::*;

use super::channel::Channel;
use crate::bytes::text;

impl Channel {
    /// The number of all endpoints, dropped ones too.
    pub fn endpoints(&self) -> usize {
        self.shared.take_requests();
        self.shared.with(|account| account.numbers.len())
    }

    /// Reports a state, which may be invalid, for the endpoint that was made as the one of this
    /// index.
    pub fn report(&self, index: usize, state: i32) {
        self.shared.take_requests();
        if let Some(number) = self.shared.with(|account| account.numbers.get(index).copied()) {
            self.report_of(number, state);
        }
    }

    fn report_of(&self, number: u64, state: i32) {
        let (host, message) = (self.shared.host, text(b"refused"));
        let report = || {
            // SAFETY: this owns the policy, and the host and the message live during the call.
            unsafe { steer_virtual_host_report(host, self.policy, number, state, 14, message) }
        };
        let status = self.shared.turn.within("event", report);
        let alive = self.shared.is_alive(number);
        match status {
            STEER_OK => assert!((0..=3).contains(&state) && alive),
            STEER_UNKNOWN_ENDPOINT => assert!(!alive),
            STEER_INVALID_ARGUMENT => assert!(!(0..=3).contains(&state)),
            other => panic!("steer_policy_endpoint_report: {other:?}"),
        }
    }

    /// Reports READY for all live endpoints.
    pub fn make_ready(&self) {
        for number in self.shared.alive() {
            self.report_of(number, 2);
        }
    }

    /// Makes a load report for all live endpoints.
    pub fn load_reports(&self, load: &Metrics) {
        // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
        let mut metrics: steer_metrics = unsafe { std::mem::zeroed() };
        metrics.struct_size = size_of::<steer_metrics>();
        metrics.cpu_utilization = load.cpu_utilization;
        metrics.mem_utilization = load.mem_utilization;
        metrics.application_utilization = load.application_utilization;
        metrics.qps = load.qps();
        metrics.eps = load.eps;
        for number in self.shared.alive() {
            // SAFETY: this owns the policy, and `metrics` lives during the call.
            let report = || unsafe { steer_policy_endpoint_load(self.policy, number, &metrics) };
            let status = self.shared.turn.within("event", report);
            assert!(matches!(status, STEER_OK | STEER_UNKNOWN_ENDPOINT), "{status:?}");
        }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let ns = time.as_nanos() as u64;
        self.shared.with(|account| account.now_ns = account.now_ns.saturating_add(ns));
        self.shared.take_timers();
    }

    /// Runs all timers that are due.
    pub fn run_timers(&self) {
        self.shared.take_timers();
        for timer in self.shared.with(|account| std::mem::take(&mut account.due)) {
            self.timer(timer);
        }
    }

    /// Runs a timer, which may not exist.
    pub fn timer(&self, timer: u64) {
        // SAFETY: this owns the policy.
        let call = || unsafe { steer_policy_timer(self.policy, timer) };
        assert_eq!(self.shared.turn.within("event", call), STEER_OK);
    }

    /// Runs the work that `run_later` asked for.
    pub fn run_later(&self) {
        self.shared.take_requests();
        for _ in 0..self.shared.with(|account| std::mem::take(&mut account.later)).min(4) {
            // SAFETY: this owns the policy.
            let call = || unsafe { steer_policy_run(self.policy) };
            assert_eq!(self.shared.turn.within("event", call), STEER_OK);
        }
    }

    /// See `steer_policy_exit_idle`.
    pub fn exit_idle(&self) {
        // SAFETY: this owns the policy.
        let call = || unsafe { steer_policy_exit_idle(self.policy) };
        assert_eq!(self.shared.turn.within("event", call), STEER_OK);
    }

    /// See `steer_policy_reset_backoff`.
    pub fn reset_backoff(&self) {
        // SAFETY: this owns the policy.
        let call = || unsafe { steer_policy_reset_backoff(self.policy) };
        assert_eq!(self.shared.turn.within("event", call), STEER_OK);
    }
}
