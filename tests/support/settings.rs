//! How the host behaves.

use steer::endpoints::Report;
use steer::virtual_host::Chance;

use super::channel::Channel;

impl Channel {
    /// From now on, the host always gives this random number.
    pub fn set_random(&self, random: u64) {
        self.host().set_chance(Chance::Always(random));
    }

    /// From now on, the host gives the random numbers of this seed.
    pub fn seed(&self, seed: u64) {
        self.host().set_chance(Chance::seeded(seed));
    }

    /// The host refuses to make endpoints of these names.
    pub fn refuse(&self, names: &str) {
        self.host().set(|settings| settings.refused = names.chars().map(String::from).collect());
    }

    /// From now on, the host makes all endpoints with other args.
    pub fn change_args(&self) {
        self.host().set(|settings| settings.args += 1);
    }

    /// As [`Channel::change_args`] for endpoints of this name only, from the next list on.
    pub fn change_args_of(&self, name: char) {
        let name = name.to_string();
        self.redescribed.lock().unwrap().insert(name.clone());
        self.host().set(|settings| *settings.args_by_address.entry(name).or_default() += 1);
    }

    /// Whether the host numbers the args.
    pub fn number_args(&self, numbers: bool) {
        self.host().set(|settings| settings.args_numbered = numbers);
    }

    /// Panics if there is an endpoint that the host would make with other args.
    pub fn check_args(&self) {
        let settings = self.host().settings();
        for endpoint in self.host().endpoints() {
            let name = endpoint.address();
            assert_eq!(endpoint.args, settings.args_of(name), "{name} was not replaced");
        }
    }

    /// The host's load reports out of band have no calls per second, or there are none.
    pub fn reports_no_qps_out_of_band(&self) {
        self.host().set(|settings| settings.load_reports_have_qps = false);
    }

    pub fn cannot_run_later(&self) {
        self.host().set(|settings| settings.runs_later = false);
    }

    /// From now on, endpoints make this report during the request to connect.
    pub fn report_within_connect(&self, report: fn() -> Report) {
        *self.watch.on_connect.lock().unwrap() = Some(report);
    }
}
