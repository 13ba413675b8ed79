//! Draws the title, the messages and the two tables.
//!
//! Must not depend on: keys, where statistics come from.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::Screen;
use super::help::help;
use super::keys::KEYS;
use crate::columns::{BACKENDS, CHANNELS, METRICS};

/// Shown for a channel whose policy does not count calls.
pub(super) const NO_CALLS: &str =
    "Calls are not counted: set STEER_STATS=calls or call steer::TrackCalls(true).";

impl Screen {
    /// Draws the screen, as of `now`.
    pub fn draw(&mut self, frame: &mut Frame<'_>, now: Instant) {
        let error = self.error_text(now);
        let error_lines = if error.is_some() { 2 } else { 0 };
        let channels = (self.rows.len() as u16).saturating_add(2);
        let no_calls = self.selected().is_some_and(|row| row.channel.lacks_calls());
        let [title, message, above, below, hint, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(error_lines),
            // The backends keep at least half of the screen.
            Constraint::Length(channels.min(frame.area().height / 2).max(3)),
            Constraint::Fill(1),
            Constraint::Length(u16::from(no_calls)),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        frame.render_widget(Line::from(self.head()).bold(), title);
        frame.render_widget(Line::from(KEYS).dim(), keys);
        if self.help {
            let rest = frame.area().height.saturating_sub(2);
            let area = Rect { y: title.bottom(), height: rest, ..frame.area() };
            frame.render_widget(help(), area);
            return;
        }
        if let Some(error) = error {
            let error = Paragraph::new(error).wrap(Wrap { trim: true });
            frame.render_widget(error.style(Style::new().red()), message);
        }
        if self.last.is_none() {
            return;
        }
        if no_calls {
            frame.render_widget(Line::from(NO_CALLS).yellow(), hint);
        }
        self.draw_tables(frame, above, below);
    }

    /// Draws the channels above, and the backends or the custom metrics of the selected channel
    /// below.
    fn draw_tables(&mut self, frame: &mut Frame<'_>, above: Rect, below: Rect) {
        let focused = !self.backends_focused;
        self.channels.draw(frame, above, "channels ".into(), CHANNELS, &self.rows, focused);
        let shows_metrics = self.shows_metrics();
        let Some(channel) = self.selected() else { return };
        let (id, number) = (channel.channel.id, channel.metrics.len());
        if shows_metrics {
            let title = format!("custom metrics of channel {id} (m: backends) ");
            let mut rows = channel.metrics.clone();
            self.metrics.sort(METRICS, &mut rows);
            self.metrics.draw(frame, below, title, METRICS, &rows, self.backends_focused);
            return;
        }
        let status = match channel.channel.status.as_str() {
            "" => String::new(),
            status => format!(": {status}"),
        };
        let hint = match number {
            0 => String::new(),
            number => format!(" (m: {number} custom metrics)"),
        };
        let title = format!("backends of channel {id}{hint}{status} ");
        let mut rows = channel.backends.clone();
        self.backends.sort(BACKENDS, &mut rows);
        self.backends.draw(frame, below, title, BACKENDS, &rows, self.backends_focused);
    }

    /// Returns why the latest poll failed, and how old the tables are.
    fn error_text(&self, now: Instant) -> Option<String> {
        let error = self.error.as_ref()?;
        let age = self.last.as_ref().map(|(_, at)| now.saturating_duration_since(*at));
        Some(match age {
            Some(age) => format!("{error}. The tables are {} s old.", age.as_secs()),
            None => error.clone(),
        })
    }

    /// Returns the first line.
    pub(super) fn head(&self) -> String {
        match &self.last {
            Some((stats, _)) => format!("{}  Steer {}", self.title, stats.steer),
            None => self.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixture::{AFTER, BEFORE, assert_lines, polled, stats};
    use super::super::print::lines_of;
    use super::*;

    #[test]
    fn the_tables_have_the_columns_with_known_values() {
        let (mut screen, at) = polled();
        assert_lines(
            &mut screen,
            at,
            (100, 12),
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
channels ───────────────────────────────────────────────────────────────────────────────────────────
ID  TARGET      POLICY               STATE              CALLS/S  ERRORS/S  FAULTS  BACKENDS  PICKERS
1   greeter     steer_least_request  READY                 15.0       1.0       0         2       13
2   other       steer_maglev         TRANSIENT_FAILURE        -         -       3         1        2
backends of channel 1 ──────────────────────────────────────────────────────────────────────────────
BACKEND           STATE  CALLS/S     HISTORY  OF CALLS  IN FLIGHT  ERRORS/S      P50      P99
ipv4:127.0.0.1:1  READY     15.0           █   100.0 %          2       1.0  10.2 ms  30.7 ms
ipv4:127.0.0.1:2  READY        -           -         -          0         -   950 µs   1.50 s


q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

    #[test]
    fn after_an_error_the_tables_stay() {
        let mut screen = Screen::new("URL");
        let start = Instant::now();
        let away = || Err("cannot reach URL: Connection refused".to_owned());
        screen.polled(start, away());
        assert_lines(
            &mut screen,
            start,
            (70, 6),
            "\
steer-top  URL
cannot reach URL: Connection refused



q quit  ? help  tab other table  ↑↓ select  s sort by next column  r r
",
        );
        screen.polled(start, stats(BEFORE));
        let later = start + Duration::from_secs(7);
        screen.polled(later, away());
        assert_lines(
            &mut screen,
            later,
            (70, 11),
            "\
steer-top  URL  Steer 0.1.0
cannot reach URL: Connection refused. The tables are 7 s old.

channels ─────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              FAULTS  BACKENDS
1   greeter   steer_least_request  READY                   0         2
2   other     steer_maglev         TRANSIENT_FAILURE       3         1
backends of channel 1 ────────────────────────────────────────────────
BACKEND           STATE       IN FLIGHT      P50      P99
ipv4:127.0.0.1:1  READY               1  10.0 ms  30.0 ms
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r r
",
        );
        // The next answer is compared with the last one before the error.
        screen.polled(start + Duration::from_secs(10), stats(AFTER));
        assert_eq!((screen.rows[0].calls, screen.error.as_deref()), (Some(3.0), None));
    }

    #[test]
    fn a_wide_screen_shows_the_history_of_each_backend() {
        let (mut screen, mut at) = polled();
        let mut next = stats(AFTER).unwrap();
        for more in [[15, 0], [60, 10], [0, 5]] {
            at += Duration::from_secs(2);
            for (backend, more) in next.channels[0].backends.iter_mut().zip(more) {
                backend.picks = backend.picks.map(|picks| picks + more);
            }
            screen.polled(at, Ok(next.clone()));
        }
        assert_lines(
            &mut screen,
            at,
            (93, 10),
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
channels ────────────────────────────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              CALLS/S  ERRORS/S  FAULTS  BACKENDS
1   greeter   steer_least_request  READY                  2.5       0.0       0         2
2   other     steer_maglev         TRANSIENT_FAILURE        -         -       3         1
backends of channel 1 ───────────────────────────────────────────────────────────────────────
BACKEND           STATE  CALLS/S     HISTORY  OF CALLS  IN FLIGHT  ERRORS/S      P50      P99
ipv4:127.0.0.1:1  READY      0.0        ▄▂█·     0.0 %          2       0.0  10.2 ms  30.7 ms
ipv4:127.0.0.1:2  READY      2.5         ·▂▁   100.0 %          0       0.0   950 µs   1.50 s
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
        // One column less leaves the history out, and nothing else.
        assert_lines(
            &mut screen,
            at,
            (92, 10),
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
channels ───────────────────────────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              CALLS/S  ERRORS/S  FAULTS  BACKENDS
1   greeter   steer_least_request  READY                  2.5       0.0       0         2
2   other     steer_maglev         TRANSIENT_FAILURE        -         -       3         1
backends of channel 1 ──────────────────────────────────────────────────────────────────────
BACKEND           STATE  CALLS/S  OF CALLS  IN FLIGHT  ERRORS/S      P50      P99
ipv4:127.0.0.1:1  READY      0.0     0.0 %          2       0.0  10.2 ms  30.7 ms
ipv4:127.0.0.1:2  READY      2.5   100.0 %          0       0.0   950 µs   1.50 s
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

    /// 80 columns tell apart backends of one port, and of one host.
    #[test]
    fn backends_differ_on_a_narrow_screen() {
        let wide = |text: &str| stats(&text.replace("127.0.0.1:", "192.168.100.101:5005"));
        let mut screen = Screen::new("URL");
        let at = Instant::now();
        screen.polled(at, wide(BEFORE));
        screen.polled(at + Duration::from_secs(2), wide(AFTER));
        assert_lines(
            &mut screen,
            at,
            (80, 10),
            "\
steer-top  URL  Steer 0.1.0
channels ───────────────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              CALLS/S  ERRORS/S  FAULTS
1   greeter   steer_least_request  READY                 15.0       1.0       0
2   other     steer_maglev         TRANSIENT_FAILURE        -         -       3
backends of channel 1 ──────────────────────────────────────────────────────────
BACKEND           STATE  CALLS/S  OF CALLS  IN FLIGHT  ERRORS/S      P50
…8.100.101:50051  READY     15.0   100.0 %          2       1.0  10.2 ms
…8.100.101:50052  READY        -         -          0         -   950 µs
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

    /// With xDS a channel has a policy for each cluster, priority and locality.
    #[test]
    fn policies_of_one_channel_have_its_number_and_their_places() {
        let policy = |id: u64, channel: u64, place: &str| {
            format!(
                r#"{{"id":{id},"grpc_channel":{channel},"target":"xds:///shop",{place}
                    "policy":"steer_maglev","state":"READY"}}"#
            )
        };
        let policies = [
            policy(1, 1, r#""cluster":"cart","locality":{"region":"eu","zone":"a"},"#),
            policy(2, 1, r#""cluster":"pay","locality":{"region":"eu","sub_zone":"s"},"#),
            policy(3, 3, ""),
        ];
        let mut screen = Screen::new("URL");
        let at = Instant::now();
        screen.polled(
            at,
            stats(&format!(r#"{{"steer":"0.1.0","channels":[{}]}}"#, policies.join(","))),
        );
        assert_lines(
            &mut screen,
            at,
            (91, 12),
            "\
steer-top  URL  Steer 0.1.0
channels ──────────────────────────────────────────────────────────────────────────────────
ID  TARGET       CHANNEL  CLUSTER  LOCALITY  POLICY        STATE  FAULTS  BACKENDS  PICKERS
1   xds:///shop        1  cart     eu/a      steer_maglev  READY       0         0        0
2   xds:///shop        1  pay      eu/s      steer_maglev  READY       0         0        0
3   xds:///shop        -                     steer_maglev  READY       0         0        0
backends of channel 1 ─────────────────────────────────────────────────────────────────────
BACKEND  STATE



q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

    #[test]
    fn a_channel_that_counts_no_calls_says_how_to_count_them() {
        let mut uncounted = stats(AFTER).unwrap();
        uncounted.channels.truncate(1);
        for backend in &mut uncounted.channels[0].backends {
            backend.picks = None;
        }
        let mut screen = Screen::new("URL");
        let at = Instant::now();
        screen.polled(at, Ok(uncounted));
        let lines = lines_of(80, 24, |frame| screen.draw(frame, at));
        assert!(lines.contains(NO_CALLS), "{lines}");
        assert!(screen.print(100).contains(NO_CALLS));
    }
}
