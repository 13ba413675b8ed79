//! All tables as text, for `--once`.
//!
//! Must not depend on: keys, the terminal.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout};

use super::Screen;
use super::draw::NO_CALLS;
use crate::columns::{BACKENDS, CHANNELS, METRICS};

impl Screen {
    /// Returns all tables as lines of text: each channel with its backends.
    pub fn print(&mut self, width: u16) -> String {
        let mut text = format!("{}\n", self.head());
        for mut channel in std::mem::take(&mut self.rows) {
            // Two polls make no history.
            channel.backends.iter_mut().for_each(|row| row.history.clear());
            let rows = channel.backends.len().min(usize::from(u16::MAX) / 2) as u16;
            // A screen for this channel alone, as high as necessary.
            let no_calls = channel.channel.lacks_calls();
            self.channel = Some(channel.channel.id);
            self.rows = vec![channel];
            self.channels.select(Some(0));
            text.push_str(&lines_of(width, rows + 5, |frame| self.draw_one(frame)));
            let metrics = self.rows[0].metrics.len().min(usize::from(u16::MAX) / 2) as u16;
            if metrics > 0 {
                text.push_str(&lines_of(width, metrics + 2, |frame| self.draw_metrics(frame)));
            }
            if no_calls {
                text.push_str(NO_CALLS);
                text.push('\n');
            }
        }
        text
    }

    fn draw_one(&mut self, frame: &mut Frame<'_>) {
        let [above, below] =
            Layout::vertical([Constraint::Length(3), Constraint::Fill(1)]).areas(frame.area());
        self.channels.draw(frame, above, String::new(), CHANNELS, &self.rows, false);
        let channel = &self.rows[0];
        let status = channel.channel.status.clone();
        self.backends.draw(frame, below, status, BACKENDS, &channel.backends, false);
    }

    fn draw_metrics(&mut self, frame: &mut Frame<'_>) {
        let rows = &self.rows[0].metrics;
        self.metrics.draw(frame, frame.area(), String::new(), METRICS, rows, false);
    }
}

/// Draws on a screen of this size in memory. Returns its lines, without blanks at their ends.
pub(super) fn lines_of(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>)) -> String {
    let backend = ratatui::backend::TestBackend::new(width, height);
    let mut terminal = ratatui::Terminal::new(backend).expect("a test backend cannot fail");
    let frame = terminal.draw(draw).expect("a test backend cannot fail");
    text_of(frame.buffer)
}

fn text_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut text = String::new();
    for line in buffer.content.chunks(width) {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fixture::polled;

    #[test]
    fn print_shows_all_channels() {
        let (mut screen, _) = polled();
        let lines = screen.print(100);
        assert_eq!(
            lines,
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
────────────────────────────────────────────────────────────────────────────────────────────────────
ID  TARGET          POLICY               STATE  CALLS/S  ERRORS/S  FAULTS  BACKENDS  PICKERS
1   dns:///greeter  steer_least_request  READY     15.0       1.0       0         2       13
────────────────────────────────────────────────────────────────────────────────────────────────────
BACKEND           STATE  CALLS/S  OF CALLS  IN FLIGHT  ERRORS/S      P50      P99
ipv4:127.0.0.1:1  READY     15.0   100.0 %          2       1.0  10.2 ms  30.7 ms
ipv4:127.0.0.1:2  READY        -         -          0         -   950 µs   1.50 s
────────────────────────────────────────────────────────────────────────────────────────────────────
ID  TARGET        POLICY        STATE              FAULTS  BACKENDS  PICKERS
2   dns:///other  steer_maglev  TRANSIENT_FAILURE       3         1        2
UNAVAILABLE: connections to all backends failing────────────────────────────────────────────────────
BACKEND           STATE              OF TABLE
ipv4:127.0.0.1:3  TRANSIENT_FAILURE   100.0 %
",
            "\n{lines}"
        );
    }
}
