//! The zones of `steer_locality`, and what they publish.
//!
//! Must not depend on: what a child does, how shares are computed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::LocalityConfig;
use super::picker::ZonePicker;
use super::shares::{self, Rule, shares};
use crate::Status;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Report};
use crate::policy::{
    BuiltInParent, Child, Children, Fields, Parent, ParentConfig, Published, Update,
};

/// The policy `steer_locality`.
pub struct Locality {
    children: Children,
    config: Option<Arc<ParentConfig<LocalityConfig>>>,
    /// By name.
    zones: BTreeMap<String, Zone>,
    /// Zones that a list has left out, and which serve calls until a zone of the latest list can.
    leaving: Vec<Zone>,
}

struct Zone {
    child: Child,
    /// The number of backends in the latest list.
    listed: usize,
}

impl BuiltInParent for Locality {
    const NAME: &'static str = "steer_locality";

    fn parse(fields: &mut Fields<'_>) -> LocalityConfig {
        LocalityConfig::parse(fields)
    }

    fn new(children: &Children) -> Locality {
        Locality {
            children: children.clone(),
            config: None,
            zones: BTreeMap::new(),
            leaving: Vec::new(),
        }
    }
}

impl Parent for Locality {
    type Config = LocalityConfig;

    fn update(
        &mut self,
        config: &Arc<ParentConfig<LocalityConfig>>,
        update: &Update,
    ) -> Result<(), Status> {
        self.config = Some(Arc::clone(config));
        self.children.set_changed();
        let list = match &update.endpoints {
            Ok(list) => list,
            // It leaves the lists in use. Without any, one zone says why.
            Err(_) if !self.zones.is_empty() => {
                let updates = self.zones.values_mut();
                return all(updates.map(|zone| zone.child.update(&config.child, update)));
            }
            Err(_) => &[][..].into(),
        };
        let mut listed: BTreeMap<String, Vec<Arc<EndpointDescriptor>>> = BTreeMap::new();
        for endpoint in &**list {
            listed.entry(config.own.zone_of(endpoint)).or_default().push(Arc::clone(endpoint));
        }
        if listed.is_empty() {
            // An empty list, or an error: the child says what that means.
            listed.insert(String::new(), Vec::new());
        }
        let mut former = std::mem::take(&mut self.zones);
        let updates = listed.into_iter().map(|(name, endpoints)| {
            let listed = endpoints.len();
            let part = match &update.endpoints {
                Ok(_) => Ok(endpoints.into()),
                Err(status) => Err(status.clone()),
            };
            let mut zone = former.remove(&name).unwrap_or_else(|| {
                let title = if name.is_empty() { "no zone" } else { &name };
                Zone { child: self.children.child(title), listed }
            });
            zone.listed = listed;
            let update = Update { endpoints: part, ..update.clone() };
            let accepted = zone.child.update(&config.child, &update);
            self.zones.insert(name, zone);
            accepted
        });
        let accepted = all(updates);
        // Zones that are gone end last, so that others can take over their connections. Those that
        // serve calls end when a zone of the new list can.
        let serves = |zone: &mut Zone| {
            zone.child.published().is_some_and(|it| it.state == Connectivity::Ready)
        };
        self.leaving
            .extend(former.into_values().filter_map(|mut zone| serves(&mut zone).then_some(zone)));
        accepted
    }

    fn reported(&mut self, _: EndpointId, _: &Arc<EndpointDescriptor>, report: &Report) {
        // Another number of backends works, also where the child's picker stays.
        if matches!(report, Report::Ready(_) | Report::TransientFailure(_)) {
            self.children.set_changed();
        }
    }

    fn publish(&mut self) {
        let Some(config) = self.config.clone() else { return };
        let (mut zones, mut published) = (Vec::new(), Vec::new());
        for (name, zone) in &mut self.zones {
            let Some(latest) = zone.child.published() else { continue };
            zones.push(shares::Zone {
                listed: zone.listed,
                working: zone.listed.saturating_sub(zone.child.failing()),
                usable: latest.state == Connectivity::Ready,
                own: !name.is_empty() && *name == config.own.zone,
                weight: config
                    .own
                    .weights
                    .as_ref()
                    .map_or(1.0, |weights| weights.get(name).copied().unwrap_or(0.0)),
            });
            published.push(latest);
        }
        if zones.iter().any(|zone| zone.usable) {
            self.publish_ready(&config.own, &zones, published);
        } else if self.publish_leaving(&published) {
            return;
        } else {
            self.publish_not_ready(published);
        }
        // After their pickers were replaced.
        self.leaving.clear();
    }
}

impl Locality {
    fn publish_ready(
        &self,
        config: &LocalityConfig,
        zones: &[shares::Zone],
        published: Vec<Published>,
    ) {
        let rule = Rule {
            by_weight: config.weights.is_some(),
            overprovisioning: config.overprovisioning,
            panic_threshold: config.panic_threshold,
        };
        let shared = shares(zones, rule).into_iter().zip(published);
        let mut shared: Vec<(f64, Published)> = shared.filter(|(share, _)| *share > 0.0).collect();
        if shared.len() == 1 {
            let (_, only) = shared.remove(0);
            self.children.publish_as_is(only);
            return;
        }
        let pickers = shared.into_iter().map(|(share, published)| (share, published.picker));
        let helper = self.children.helper();
        let picker = ZonePicker::new(pickers.collect(), helper);
        helper.update_state(Connectivity::Ready, &Status::OK, Box::new(picker));
    }

    /// Calls do not wait for the zones of a new list as long as a former one serves them: publishes
    /// what those do. Returns `false` if there is none, or if the new ones have failed.
    fn publish_leaving(&mut self, listed: &[Published]) -> bool {
        if listed.iter().all(|zone| zone.state == Connectivity::TransientFailure) {
            return false;
        }
        let zones = self.leaving.iter_mut();
        let serving = zones.filter_map(|zone| Some((zone.listed as f64, zone.child.published()?)));
        let serving = serving.filter(|(_, published)| published.state == Connectivity::Ready);
        let pickers: Vec<_> = serving.map(|(size, published)| (size, published.picker)).collect();
        if pickers.is_empty() {
            return false;
        }
        let helper = self.children.helper();
        let picker = ZonePicker::new(pickers, helper);
        helper.update_state(Connectivity::Ready, &Status::OK, Box::new(picker));
        true
    }

    /// No zone is READY: publishes what is next best, as gRPC's `weighted_target` does.
    fn publish_not_ready(&self, mut published: Vec<Published>) {
        let rank = |published: &Published| match published.state {
            Connectivity::Connecting => 0,
            Connectivity::Idle => 1,
            Connectivity::Ready | Connectivity::TransientFailure => 2,
        };
        published.sort_by_key(rank);
        let Some(first) = published.first().cloned() else { return };
        if first.state == Connectivity::Connecting || published.len() == 1 {
            self.children.publish_as_is(first);
            return;
        }
        // Any of the zones may connect (IDLE), or says why it cannot.
        published.retain(|other| rank(other) == rank(&first));
        let pickers = published.into_iter().map(|published| (1.0, published.picker));
        let helper = self.children.helper();
        let picker = ZonePicker::new(pickers.collect(), helper);
        helper.update_state(first.state, &first.status, Box::new(picker));
    }
}

/// Makes all updates. Returns the first that was not accepted.
fn all(updates: impl Iterator<Item = Result<(), Status>>) -> Result<(), Status> {
    let accepted: Vec<_> = updates.collect();
    accepted.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}
