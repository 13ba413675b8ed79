//! The random numbers that the engine gets.
//!
//! Must not depend on: what they are used for.

/// Gives random numbers.
#[derive(Clone, Debug)]
pub enum Chance {
    /// The same number each time.
    Always(u64),
    /// The numbers of a seed.
    Seeded(fastrand::Rng),
}

impl Chance {
    /// The numbers of this seed.
    pub fn seeded(seed: u64) -> Chance {
        Chance::Seeded(fastrand::Rng::with_seed(seed))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        match self {
            Chance::Always(number) => *number,
            Chance::Seeded(numbers) => numbers.u64(..),
        }
    }
}
