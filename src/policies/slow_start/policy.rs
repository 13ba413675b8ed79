//! What the child of `steer_slow_start` gets, and when.
//!
//! Must not depend on: what the child does.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::config::SlowStartConfig;
use super::starting::Starting;
use super::thinning::ThinningPicker;
use crate::Status;
use crate::endpoints::{EndpointDescriptor, EndpointId, Index, Report};
use crate::policy::{
    BuiltInParent, Child, Children, Fields, Parent, ParentConfig, TimerId, Update,
};

/// Weights change this often in a window.
const TICKS: u32 = 20;

/// More ticks in a second would cost more than they bring.
const SHORTEST_TICK: Duration = Duration::from_millis(50);

/// A weight of 1 becomes this, so that a hundredth of it is still a whole number.
const WEIGHT_FACTOR: f64 = 1000.0;

/// The policy `steer_slow_start`.
pub struct SlowStart {
    children: Children,
    child: Child,
    latest: Option<(Arc<ParentConfig<SlowStartConfig>>, Update)>,
    starting: Starting,
    /// Runs while a backend is starting.
    timer: Option<TimerId>,
    /// Whether the child has weights that are not the resolver's.
    weighted: bool,
}

impl BuiltInParent for SlowStart {
    const NAME: &'static str = "steer_slow_start";

    fn parse(fields: &mut Fields<'_>) -> SlowStartConfig {
        SlowStartConfig::parse(fields)
    }

    fn new(children: &Children) -> SlowStart {
        SlowStart {
            children: children.clone(),
            child: children.child("slow start"),
            latest: None,
            starting: Starting::default(),
            timer: None,
            weighted: false,
        }
    }
}

impl Parent for SlowStart {
    type Config = SlowStartConfig;

    fn update(
        &mut self,
        config: &Arc<ParentConfig<SlowStartConfig>>,
        update: &Update,
    ) -> Result<(), Status> {
        let accepted = match (&update.endpoints, &mut self.latest) {
            // A resolver error leaves the list in use.
            (Err(_), Some(latest)) => {
                latest.0 = Arc::clone(config);
                self.child.update(&config.child, update)
            }
            _ => {
                self.latest = Some((Arc::clone(config), update.clone()));
                self.update_child()
            }
        };
        let children = &self.children;
        self.starting.retain(|endpoint| children.descriptor(endpoint).is_some());
        self.children.set_changed();
        accepted
    }

    fn reported(
        &mut self,
        endpoint: EndpointId,
        descriptor: &Arc<EndpointDescriptor>,
        report: &Report,
    ) {
        let now = self.children.helper().now();
        if self.starting.reported(endpoint, descriptor, report, now) {
            self.tick(true);
        }
    }

    fn publish(&mut self) {
        let Some(published) = self.child.published() else { return };
        let Some((config, _)) = &self.latest else { return };
        if self.starting.backends().is_empty() || config.child.uses_weights() {
            self.children.publish_as_is(published);
            return;
        }
        let helper = self.children.helper();
        let picker = ThinningPicker {
            picker: published.picker,
            starting: self.starting.backends().into(),
            first: self.starting.first_of_all(),
            config: config.own.clone(),
            helper: Arc::clone(helper),
        };
        helper.update_state(published.state, &published.status, Box::new(picker));
    }

    fn timer(&mut self, timer: TimerId) {
        if self.timer.take_if(|running| *running == timer).is_some() {
            self.tick(false);
        }
    }
}

impl SlowStart {
    /// Time has passed, or other backends are starting (`others_start`).
    fn tick(&mut self, mut others_start: bool) {
        let Some((config, _)) = &self.latest else { return };
        let (window, by_weight) = (config.own.window, config.child.uses_weights());
        others_start |= self.starting.finish(window, self.children.helper().now());
        let any = !self.starting.backends().is_empty();
        if by_weight && (self.weighted || any) {
            // The list is one that the child has accepted before.
            let _ = self.update_child();
        }
        if !by_weight && others_start {
            self.children.set_changed();
        }
        if any && self.timer.is_none() {
            let tick = (window / TICKS).max(SHORTEST_TICK).min(window);
            self.timer = Some(self.children.helper().start_timer(tick));
        }
    }

    /// Gives the child the latest list, with the weights that the backends have now.
    fn update_child(&mut self) -> Result<(), Status> {
        let Some((config, update)) = &self.latest else { return Ok(()) };
        let starting = self.starting.backends();
        self.weighted = config.child.uses_weights() && !starting.is_empty();
        let endpoints = match &update.endpoints {
            Ok(list) if self.weighted => {
                let now = self.children.helper().now();
                let factors: HashMap<&[String], f64> = starting
                    .iter()
                    .map(|backend| {
                        let factor = config.own.factor(now.saturating_sub(backend.since));
                        (&*backend.descriptor.addresses, factor)
                    })
                    .collect();
                Ok(weighted(list, &factors))
            }
            endpoints => endpoints.clone(),
        };
        self.child.update(&config.child, &Update { endpoints, ..update.clone() })
    }
}

/// The list with the weights of its backends multiplied by these factors.
fn weighted(
    list: &Arc<[Arc<EndpointDescriptor>]>,
    factors: &HashMap<&[String], f64>,
) -> Arc<[Arc<EndpointDescriptor>]> {
    let mean = mean_weight(list);
    let heaviest = list.iter().map(|endpoint| endpoint.weight).max().unwrap_or(0);
    let scale = WEIGHT_FACTOR.min(f64::from(u32::MAX) / f64::from(heaviest).max(mean));
    let describe = |endpoint: &Arc<EndpointDescriptor>| {
        let weight = if endpoint.weight == 0 { mean } else { f64::from(endpoint.weight) };
        let factor = factors.get(&*endpoint.addresses).copied().unwrap_or(1.0);
        let weight = ((weight * factor * scale).round() as u32).max(1);
        let index = Index::of(endpoint);
        Arc::new(EndpointDescriptor { index, weight, ..EndpointDescriptor::clone(endpoint) })
    };
    list.iter().map(describe).collect()
}

/// The mean of the given weights, which backends without one have. 1 without weights.
fn mean_weight(list: &[Arc<EndpointDescriptor>]) -> f64 {
    let given = list.iter().map(|endpoint| endpoint.weight).filter(|weight| *weight > 0);
    let (sum, count) =
        given.fold((0.0, 0.0), |(sum, count), weight| (sum + f64::from(weight), count + 1.0));
    if count > 0.0 { sum / count } else { 1.0 }
}
