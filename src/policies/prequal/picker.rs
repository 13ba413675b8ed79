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
use crate::policy::{Helper, Pick, Picker};

pub(super) struct PrequalPicker {
    /// Without gaps, in no particular order.
    pub(super) backends: PersistentVec<Compared<ReportedLoad>>,
    pub(super) pool_size: usize,
    /// A pick chooses by so many of the newest reports.
    pub(super) newest: usize,
    pub(super) rif_quantile: f64,
    pub(super) reuse: Reuse,
    pub(super) rule: Arc<ReportRule>,
    pub(super) helper: Arc<dyn Helper>,
}

impl Picker for PrequalPicker {
    fn pick<'a>(&'a self, _call: &Call<'_>) -> Pick<'a> {
        let (picks, random) = (self.rule.picks(), self.helper.random());
        let limit = self.reuse.limit(picks, random);
        let mut pool = Pool::new(self.helper.now());
        distinct(&*self.helper, self.backends.count(), self.pool_size, |index| {
            if let Some(backend) = self.backends.get(index) {
                pool.add(backend, limit);
            }
        });
        pool.separate(self.rif_quantile);
        let Some(chosen) = pool.choose(self.newest) else { return Pick::Queue };
        if let Some(removal) = self.reuse.removal(picks, random) {
            pool.remove(removal);
        }
        Pick::tracked(&chosen.candidate.backend)
    }

    fn wants(&self) -> Wants {
        Wants { metrics: true, ..Wants::default() }
    }
}
