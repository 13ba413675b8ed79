//! The sources of statistics: objects that describe the backends of a policy when a snapshot asks.
//!
//! Must not depend on: who asks, the formats of a snapshot.

use std::sync::Arc;
use std::time::Duration;

use super::snapshot::BackendStats;
use super::table::Table;
use crate::sync::Mutex;

/// Describes the backends of a policy. Called on any thread, while the policy goes on.
///
/// A snapshot may be its last owner, and drop it on any thread. So it must not own objects of the
/// host.
pub trait StatsSource: Send + Sync {
    /// Writes the statistics into the table.
    fn describe(&self, table: &mut Table);
}

/// Describes one backend for the statistics.
pub trait BackendStatsSource: Send + Sync + 'static {
    /// Writes the statistics into the backend's row. `now` is by the host's clock. Any thread.
    fn write_stats(&self, row: &mut BackendStats, now: Duration);
}

/// The latest of the sources that a policy makes for each list or picker.
#[derive(Default)]
pub struct Latest(Mutex<Option<Arc<dyn StatsSource>>>);

impl Latest {
    /// Removes the source.
    pub fn clear(&self) {
        let former = self.0.lock().take();
        // Dropped without the lock, as in `set`.
        drop(former);
    }

    /// Replaces the source.
    pub fn set(&self, source: impl StatsSource + 'static) {
        let former = self.0.lock().replace(Arc::new(source));
        // Dropped without the lock, so that no thread waits for the drop.
        drop(former);
    }
}

impl StatsSource for Latest {
    fn describe(&self, table: &mut Table) {
        // Called without the lock. A slow description (46 ms for a ring of 8 million entries) would
        // delay the next update.
        let latest = self.0.lock().clone();
        if let Some(latest) = latest {
            latest.describe(table);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Says when a description begins, and goes on when the test lets it.
    struct Slow(std::sync::Mutex<(Sender<()>, Receiver<()>)>);

    impl StatsSource for Slow {
        fn describe(&self, _: &mut Table) {
            let channels = self.0.lock().unwrap();
            channels.0.send(()).unwrap();
            channels.1.recv().unwrap();
        }
    }

    #[test]
    fn a_slow_description_delays_no_update() {
        let ((begins, begun), (go, goes)) = (channel(), channel());
        let latest = Arc::<Latest>::default();
        latest.set(Slow(std::sync::Mutex::new((begins, goes))));
        let source = Arc::clone(&latest);
        let reader = std::thread::spawn(move || {
            source.describe(&mut Table::new(Duration::ZERO, std::iter::empty()));
        });
        begun.recv().unwrap();
        let (done, is_done) = channel();
        let policy = std::thread::spawn(move || {
            latest.clear();
            done.send(()).unwrap();
        });
        is_done
            .recv_timeout(Duration::from_secs(60))
            .expect("the policy waits for the description");
        go.send(()).unwrap();
        reader.join().unwrap();
        policy.join().unwrap();
    }
}
