//! The keys: they select, sort, show the help, and end the program.
//!
//! Must not depend on: how the screen is drawn.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Screen;
use crate::columns::{BACKENDS, CHANNELS, METRICS};
use crate::table::Move;

pub(super) const KEYS: &str =
    "q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse";

impl Screen {
    /// Handles a key. Returns `false` if the key ends the program.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if key.kind == KeyEventKind::Release {
            return true;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('?') => self.help = !self.help,
            KeyCode::Esc if self.help => self.help = false,
            KeyCode::Char('q') | KeyCode::Esc => return false,
            KeyCode::Char('c') if control => return false,
            KeyCode::Char('m') => self.metrics_shown = !self.metrics_shown,
            KeyCode::Tab => self.backends_focused = !self.backends_focused,
            KeyCode::Up | KeyCode::Char('k') => self.go(Move::By(-1)),
            KeyCode::Down | KeyCode::Char('j') => self.go(Move::By(1)),
            KeyCode::PageUp => self.go(Move::By(-20)),
            KeyCode::PageDown => self.go(Move::By(20)),
            KeyCode::Home => self.go(Move::First),
            KeyCode::End => self.go(Move::Last),
            KeyCode::Char('s') => self.next_column(false),
            KeyCode::Char('S') => self.next_column(true),
            KeyCode::Char('r') if self.backends_focused && self.shows_metrics() => {
                self.metrics.reverse();
            }
            KeyCode::Char('r') if self.backends_focused => self.backends.reverse(),
            KeyCode::Char('r') => self.channels.reverse(),
            _ => {}
        }
        self.sort();
        true
    }

    /// Sorts the focused table by its next column, or by the previous one if `back`.
    fn next_column(&mut self, back: bool) {
        let selected = self.channels.selected().and_then(|row| self.rows.get(row));
        if self.backends_focused && self.shows_metrics() {
            let rows = selected.map_or(&[][..], |channel| &channel.metrics);
            self.metrics.next_column(METRICS, rows, back);
        } else if self.backends_focused {
            let rows = selected.map_or(&[][..], |channel| &channel.backends);
            self.backends.next_column(BACKENDS, rows, back);
        } else {
            self.channels.next_column(CHANNELS, &self.rows, back);
        }
    }

    /// Moves the selection of the focused table.
    fn go(&mut self, to: Move) {
        if self.backends_focused && self.shows_metrics() {
            let rows = self.selected().map_or(0, |channel| channel.metrics.len());
            self.metrics.go(to, rows);
        } else if self.backends_focused {
            let rows = self.selected().map_or(0, |channel| channel.backends.len());
            self.backends.go(to, rows);
        } else {
            self.channels.go(to, self.rows.len());
            self.channel = self.selected().map(|row| row.channel.id);
            self.backends.select(None);
            self.metrics.select(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::fixture::{AFTER, assert_lines, polled, press, stats};
    use super::*;

    #[test]
    fn selecting_a_channel_shows_its_backends() {
        let (mut screen, at) = polled();
        assert!(press(&mut screen, KeyCode::Down));
        assert_lines(
            &mut screen,
            at,
            (80, 9),
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
channels ───────────────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              CALLS/S  ERRORS/S  FAULTS
1   greeter   steer_least_request  READY                 15.0       1.0       0
2   other     steer_maglev         TRANSIENT_FAILURE        -         -       3
backends of channel 2: UNAVAILABLE: connections to all backends failing ────────
BACKEND           STATE              OF TABLE
ipv4:127.0.0.1:3  TRANSIENT_FAILURE   100.0 %
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
        assert!(!press(&mut screen, KeyCode::Char('q')));
    }

    #[test]
    fn the_focused_table_sorts_by_its_next_column() {
        let (mut screen, at) = polled();
        press(&mut screen, KeyCode::Tab);
        for _ in 0..5 {
            press(&mut screen, KeyCode::Char('s'));
        }
        press(&mut screen, KeyCode::Char('r'));
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
BACKEND           STATE  CALLS/S     HISTORY  OF CALLS  IN FLIGHT^  ERRORS/S      P50      P99
ipv4:127.0.0.1:2  READY        -           -         -           0         -   950 µs   1.50 s
ipv4:127.0.0.1:1  READY     15.0           █   100.0 %           2       1.0  10.2 ms  30.7 ms


q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

    #[test]
    fn m_shows_the_custom_metrics_of_a_channel() {
        let (mut screen, at) = polled();
        let metrics = r#""custom_metrics":[{"name":"rejected","kind":"counter","help":"","series":[
            {"labels":{"why":"no tenant"},"value":COUNT}]},
            {"name":"depth","kind":"gauge","help":"","series":[{"labels":{},"value":1.5}]}],
            "faults":0,"pickers":13"#;
        let poll = |count: u32| {
            let metrics = metrics.replace("COUNT", &count.to_string());
            stats(&AFTER.replacen(r#""faults":0,"pickers":13"#, &metrics, 1))
        };
        screen.polled(at, poll(10));
        screen.polled(at + std::time::Duration::from_secs(2), poll(15));
        press(&mut screen, KeyCode::Char('m'));
        press(&mut screen, KeyCode::Tab);
        press(&mut screen, KeyCode::Char('s'));
        assert_lines(
            &mut screen,
            at,
            (80, 9),
            "\
steer-top  http://127.0.0.1:9/stats.json  Steer 0.1.0
channels ───────────────────────────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              CALLS/S  ERRORS/S  FAULTS
1   greeter   steer_least_request  READY                  0.0       0.0       0
2   other     steer_maglev         TRANSIENT_FAILURE        -         -       3
custom metrics of channel 1 (m: backends) ──────────────────────────────────────
METRIC*   LABELS         VALUE  PER S
depth                    1.500      -
q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
        press(&mut screen, KeyCode::Char('m'));
        let lines = super::super::print::lines_of(80, 9, |frame| screen.draw(frame, at));
        assert!(lines.contains("backends of channel 1 (m: 2 custom metrics) ─"), "{lines}");
        let printed = screen.print(80);
        let row = "rejected  why=no tenant     15    2.5";
        assert!(printed.lines().any(|line| line == row), "{printed}");
    }

    #[test]
    fn the_selected_channel_stays_selected_when_its_row_changes() {
        let (mut screen, _) = polled();
        press(&mut screen, KeyCode::Down);
        assert_eq!((screen.channel, screen.channels.selected()), (Some(2), Some(1)));
        press(&mut screen, KeyCode::Char('r'));
        assert_eq!((screen.channel, screen.channels.selected()), (Some(2), Some(0)));
        // The channel is gone: the first one is selected.
        let mut fewer = stats(AFTER).unwrap();
        fewer.channels.truncate(1);
        screen.polled(Instant::now(), Ok(fewer));
        assert_eq!((screen.channel, screen.channels.selected()), (Some(1), Some(0)));
    }

    #[test]
    fn more_backends_than_lines_are_scrolled() {
        let mut many = stats(AFTER).unwrap();
        let one = many.channels[0].backends[1].clone();
        let numbered =
            |n: u32| crate::stats::Backend { addresses: vec![format!("b{n}")], ..one.clone() };
        many.channels[0].backends = (0..100).map(numbered).collect();
        let mut screen = Screen::new("URL");
        let at = Instant::now();
        screen.polled(at, Ok(many));
        press(&mut screen, KeyCode::Tab);
        press(&mut screen, KeyCode::End);
        assert_lines(
            &mut screen,
            at,
            (60, 12),
            "\
steer-top  URL  Steer 0.1.0
channels ───────────────────────────────────────────────────
ID  TARGET    POLICY               STATE              FAULTS
1   greeter   steer_least_request  READY                   0
2   other     steer_maglev         TRANSIENT_FAILURE       3
backends of channel 1 ──────────────────────────────────────
BACKEND  STATE  IN FLIGHT     P50     P99
b96      READY          0  950 µs  1.50 s
b97      READY          0  950 µs  1.50 s
b98      READY          0  950 µs  1.50 s
b99      READY          0  950 µs  1.50 s
q quit  ? help  tab other table  ↑↓ select  s sort by next c
",
        );
        press(&mut screen, KeyCode::PageUp);
        assert_eq!(screen.backends.selected(), Some(79));
    }
}
