//! How the host behaves.

use steer::endpoints::Report;

use super::channel::Channel;
use super::world::Chance;

impl Channel {
    /// From now on, the host always gives this random number.
    pub fn set_random(&self, random: u64) {
        self.world().random = Chance::Always(random);
    }

    /// From now on, the host gives the random numbers of this seed.
    pub fn seed(&self, seed: u64) {
        self.world().random = Chance::Seeded(fastrand::Rng::with_seed(seed));
    }

    /// The host refuses to make endpoints of these names.
    pub fn refuse(&self, names: &str) {
        self.world().refused = names.chars().map(String::from).collect();
    }

    /// From now on, the host makes all endpoints with other args.
    pub fn change_args(&self) {
        self.world().args += 1;
    }

    /// As [`Channel::change_args`] for endpoints of this name only, from the next list on.
    pub fn change_args_of(&self, name: char) {
        let mut world = self.world();
        *world.args_by_name.entry(name.to_string()).or_default() += 1;
        world.redescribed.insert(name.to_string());
    }

    /// Whether the host numbers the args.
    pub fn number_args(&self, numbers: bool) {
        self.world().unnumbered = !numbers;
    }

    /// Panics if there is an endpoint that the host would make with other args.
    pub fn check_args(&self) {
        let world = self.world();
        for (id, name) in &world.endpoints {
            assert_eq!(world.made_with[id], world.args_of(name), "{name} was not replaced");
        }
    }

    pub fn cannot_run_later(&self) {
        self.world().cannot_run_later = true;
    }

    /// From now on, endpoints make this report during the request to connect.
    pub fn report_within_connect(&self, report: fn() -> Report) {
        self.world().on_connect = Some(report);
    }
}
