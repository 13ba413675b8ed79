//! The data plane of `steer_prequal`.
//!
//! Must not depend on: the config.

use std::sync::Arc;

use super::pool::Pool;
use super::reuse::Reuse;
use crate::calls::{Call, Wants};
use crate::endpoints::PersistentVec;
use crate::load::{ReportRule, ReportedLoad};
use crate::policies::compared::Compared;
use crate::policy::sample::distinct;
use crate::policy::{Pick, Picker, Sources};

pub(super) struct PrequalPicker {
    /// Without gaps, in no particular order.
    pub(super) backends: PersistentVec<Compared<ReportedLoad>>,
    pub(super) pool_size: usize,
    /// A pick chooses by so many of the newest reports.
    pub(super) newest: usize,
    pub(super) rif_quantile: f64,
    pub(super) reuse: Reuse,
    pub(super) rule: Arc<ReportRule>,
    pub(super) sources: Sources,
}

impl Picker for PrequalPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let (picks, chance) = (self.rule.picks(), self.sources.random());
        let limit = self.reuse.limit(picks, chance);
        let mut pool = Pool::new(self.sources.now());
        let random = || self.sources.random();
        distinct(random, self.backends.count(), self.pool_size, |index| {
            if let Some(backend) = self.backends.get(index) {
                pool.add(backend, limit);
            }
        });
        pool.separate(self.rif_quantile);
        let Some(chosen) = pool.choose(self.newest) else { return Pick::Queue };
        if let Some(removal) = self.reuse.removal(picks, chance) {
            pool.remove(removal);
        }
        chosen.candidate.pick()
    }

    fn wants(&self) -> Wants {
        Wants { metrics: true, ..Wants::default() }
    }
}
