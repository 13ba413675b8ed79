//! The screen: the latest statistics, the selection, and the keys.
//!
//! Must not depend on: where statistics come from, the terminal.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use crate::columns::{BACKENDS, CHANNELS};
use crate::rates::{self, ChannelRow};
use crate::stats::Stats;
use crate::table::{Move, Sorted};

const KEYS: &str = "q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse";

/// Shown for a channel whose policy does not count calls.
const NO_CALLS: &str =
    "Calls are not counted: set STEER_STATS=calls or call steer::TrackCalls(true).";

/// Shown by `?`. It fits into 80 columns and 24 lines, with the title and the keys.
const HELP: &str = "
? or Esc    close this help            q           quit
Tab         go to the other table      ↑ ↓         select a row (or j, k)
s, S        sort by the next or the previous column: * marks it
r           reverse the order: ^ marks it

green       READY
yellow      IDLE or CONNECTING
red         TRANSIENT_FAILURE, faults of a policy, or calls that fail

CALLS/S, ERRORS/S   calls per second, and those that ended with an error,
                    between the last two polls
OF CALLS            the backend's share of the channel's calls in that time
P50, P99            latency of all calls so far, as quantiles
EWMA                the latency estimate of steer_peak_ewma
OF TABLE            the backend's share of a ring or table
-                   unknown

Only some policies count calls. To count the calls of all policies, set
STEER_STATS=calls in the environment of the process, or call
steer::TrackCalls(true) in it before the first channel is made.";

/// The state of the screen.
pub struct Screen {
    title: String,
    /// The latest statistics, and when they came.
    last: Option<(Stats, Instant)>,
    /// Why the latest poll failed.
    error: Option<String>,
    rows: Vec<ChannelRow>,
    /// The number of the selected channel. Its row may change.
    channel: Option<u64>,
    channels: Sorted,
    backends: Sorted,
    backends_focused: bool,
    help: bool,
}

impl Screen {
    /// Makes a screen for this address, before the first poll.
    pub fn new(url: &str) -> Screen {
        Screen {
            title: format!("steer-top  {url}"),
            last: None,
            error: None,
            rows: Vec::new(),
            channel: None,
            channels: Sorted::default(),
            backends: Sorted::default(),
            backends_focused: false,
            help: false,
        }
    }

    /// Takes the answer of a poll that ended at `at`. After an error, the former statistics stay.
    pub fn polled(&mut self, at: Instant, answer: Result<Stats, String>) {
        match answer {
            Ok(stats) => {
                let before = self.last.as_ref();
                let before = before.map(|(stats, then)| (stats, at.duration_since(*then)));
                self.rows = rates::between(before, &stats);
                self.last = Some((stats, at));
                self.error = None;
                self.sort();
            }
            Err(error) => self.error = Some(error),
        }
    }

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
            KeyCode::Tab => self.backends_focused = !self.backends_focused,
            KeyCode::Up | KeyCode::Char('k') => self.go(Move::By(-1)),
            KeyCode::Down | KeyCode::Char('j') => self.go(Move::By(1)),
            KeyCode::PageUp => self.go(Move::By(-20)),
            KeyCode::PageDown => self.go(Move::By(20)),
            KeyCode::Home => self.go(Move::First),
            KeyCode::End => self.go(Move::Last),
            KeyCode::Char(s @ ('s' | 'S')) => {
                let back = s == 'S';
                if self.backends_focused {
                    let selected = self.channels.selected().and_then(|row| self.rows.get(row));
                    let rows = selected.map_or(&[][..], |channel| &channel.backends);
                    self.backends.next_column(BACKENDS, rows, back);
                } else {
                    self.channels.next_column(CHANNELS, &self.rows, back);
                }
            }
            KeyCode::Char('r') if self.backends_focused => self.backends.reverse(),
            KeyCode::Char('r') => self.channels.reverse(),
            _ => {}
        }
        self.sort();
        true
    }

    fn go(&mut self, to: Move) {
        if self.backends_focused {
            let selected = self.channels.selected().and_then(|row| self.rows.get(row));
            self.backends.go(to, selected.map_or(0, |channel| channel.backends.len()));
        } else {
            self.channels.go(to, self.rows.len());
            let row = self.channels.selected().and_then(|row| self.rows.get(row));
            self.channel = row.map(|row| row.channel.id);
            self.backends.select(None);
        }
    }

    /// Sorts the rows, starting from the process's order, and finds the selected channel again.
    fn sort(&mut self) {
        let Some((stats, _)) = &self.last else { return };
        let place = |id: u64| stats.channels.iter().position(|channel| channel.id == id);
        self.rows.sort_by_key(|row| place(row.channel.id));
        self.channels.sort(CHANNELS, &mut self.rows);
        let selected = self.rows.iter().position(|row| Some(row.channel.id) == self.channel);
        let selected = selected.or((!self.rows.is_empty()).then_some(0));
        self.channels.select(selected);
        self.channel = selected.map(|row| self.rows[row].channel.id);
    }

    /// Draws the screen, as of `now`.
    pub fn draw(&mut self, frame: &mut Frame<'_>, now: Instant) {
        let error = self.error.as_ref().map(|error| {
            let age = self.last.as_ref().map(|(_, at)| now.saturating_duration_since(*at));
            match age {
                Some(age) => format!("{error}. The tables are {} s old.", age.as_secs()),
                None => error.clone(),
            }
        });
        let error_lines = if error.is_some() { 2 } else { 0 };
        let channels = (self.rows.len() as u16).saturating_add(2);
        let selected = self.channels.selected().and_then(|row| self.rows.get(row));
        let no_calls = selected.is_some_and(|row| row.channel.lacks_calls());
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
        let focused = !self.backends_focused;
        self.channels.draw(frame, above, "channels ".into(), CHANNELS, &self.rows, focused);
        let Some(channel) = self.channels.selected().and_then(|row| self.rows.get(row)) else {
            return;
        };
        let title = match channel.channel.status.as_str() {
            "" => format!("backends of channel {} ", channel.channel.id),
            status => format!("backends of channel {}: {status} ", channel.channel.id),
        };
        let mut rows = channel.backends.clone();
        self.backends.sort(BACKENDS, &mut rows);
        self.backends.draw(frame, below, title, BACKENDS, &rows, self.backends_focused);
    }

    /// Returns all tables as lines of text: each channel with its backends.
    pub fn print(&mut self, width: u16) -> String {
        let mut text = format!("{}\n", self.head());
        for channel in std::mem::take(&mut self.rows) {
            let rows = channel.backends.len().min(usize::from(u16::MAX) / 2) as u16;
            // A screen for this channel alone, as high as necessary.
            let no_calls = channel.channel.lacks_calls();
            self.channel = Some(channel.channel.id);
            self.rows = vec![channel];
            self.channels.select(Some(0));
            text.push_str(&lines_of(width, rows + 5, |frame| self.draw_one(frame)));
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

    fn head(&self) -> String {
        match &self.last {
            Some((stats, _)) => format!("{}  Steer {}", self.title, stats.steer),
            None => self.title.clone(),
        }
    }
}

/// The help, with the names of colours in these colours.
fn help() -> Paragraph<'static> {
    let lines = HELP.lines().map(|line| {
        for (name, color) in
            [("green", Color::Green), ("yellow", Color::Yellow), ("red ", Color::Red)]
        {
            if let Some(rest) = line.strip_prefix(name) {
                return Line::from(vec![Span::styled(name, color), Span::raw(rest)]);
            }
        }
        Line::from(line)
    });
    Paragraph::new(lines.collect::<Vec<Line<'_>>>())
}

/// Draws on a screen of this size in memory. Returns its lines, without blanks at their ends.
pub fn lines_of(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>)) -> String {
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

/// Returns the time to wait for an answer, with this polling interval.
pub fn patience(interval: Duration) -> Duration {
    interval.clamp(Duration::from_secs(1), Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::crossterm::event::KeyEventState;

    const BEFORE: &str = r#"{"steer":"0.1.0","channels":[
        {"id":1,"target":"dns:///greeter","policy":"steer_least_request","state":"READY",
         "status":"","faults":0,"pickers":12,"calls_tracked":true,"backends":[
         {"addresses":["ipv4:127.0.0.1:1"],"state":"READY","picks":10,"in_flight":1,"abandoned":0,
          "finished":{"OK":9},
          "latency_seconds":{"count":9,"sum":0.1,
           "p50":0.01,"p90":0.02,"p99":0.03,"p999":0.03,"max":0.03}},
         {"addresses":["ipv4:127.0.0.1:2"],"state":"CONNECTING"}]},
        {"id":2,"target":"dns:///other","policy":"steer_maglev","state":"TRANSIENT_FAILURE",
         "status":"UNAVAILABLE: connections to all backends failing","faults":3,"pickers":2,
         "calls_tracked":false,"backends":[
         {"addresses":["ipv4:127.0.0.1:3"],"state":"TRANSIENT_FAILURE","share":1.0}]}]}"#;

    const AFTER: &str = r#"{"steer":"0.1.0","channels":[
        {"id":1,"target":"dns:///greeter","policy":"steer_least_request","state":"READY",
         "status":"","faults":0,"pickers":13,"calls_tracked":true,"backends":[
         {"addresses":["ipv4:127.0.0.1:1"],"state":"READY","picks":40,"in_flight":2,"abandoned":0,
          "finished":{"OK":36,"UNAVAILABLE":2},
          "latency_seconds":{"count":38,"sum":0.4,
           "p50":0.0102,"p90":0.02,"p99":0.0307,"p999":0.03,"max":0.03}},
         {"addresses":["ipv4:127.0.0.1:2"],"state":"READY","picks":10,"in_flight":0,"abandoned":0,
          "finished":{"OK":10},
          "latency_seconds":{"count":10,"sum":0.1,
           "p50":0.00095,"p90":0.02,"p99":1.5,"p999":1.6,"max":1.6}}]},
        {"id":2,"target":"dns:///other","policy":"steer_maglev","state":"TRANSIENT_FAILURE",
         "status":"UNAVAILABLE: connections to all backends failing","faults":3,"pickers":2,
         "calls_tracked":false,"backends":[
         {"addresses":["ipv4:127.0.0.1:3"],"state":"TRANSIENT_FAILURE","share":1.0}]}]}"#;

    fn stats(text: &str) -> Result<Stats, String> {
        Ok(serde_json::from_str(text).unwrap())
    }

    /// Returns a screen after two polls, and the time of the second.
    fn polled() -> (Screen, Instant) {
        let start = Instant::now();
        let mut screen = Screen::new("http://127.0.0.1:9/stats.json");
        screen.polled(start, stats(BEFORE));
        let end = start + Duration::from_secs(2);
        screen.polled(end, stats(AFTER));
        (screen, end)
    }

    fn press(screen: &mut Screen, code: KeyCode) -> bool {
        let (kind, state) = (KeyEventKind::Press, KeyEventState::NONE);
        screen.key(KeyEvent { code, modifiers: KeyModifiers::NONE, kind, state })
    }

    #[track_caller]
    fn assert_lines(screen: &mut Screen, at: Instant, size: (u16, u16), expected: &str) {
        let lines = lines_of(size.0, size.1, |frame| screen.draw(frame, at));
        assert_eq!(lines, expected, "\n{lines}");
    }

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
BACKEND           STATE  CALLS/S  OF CALLS  IN FLIGHT  ERRORS/S      P50      P99
ipv4:127.0.0.1:1  READY     15.0   100.0 %          2       1.0  10.2 ms  30.7 ms
ipv4:127.0.0.1:2  READY        -         -          0         -   950 µs   1.50 s


q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
    }

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
BACKEND           STATE  CALLS/S  OF CALLS  IN FLIGHT^  ERRORS/S      P50      P99
ipv4:127.0.0.1:2  READY        -         -           0         -   950 µs   1.50 s
ipv4:127.0.0.1:1  READY     15.0   100.0 %           2       1.0  10.2 ms  30.7 ms


q quit  ? help  tab other table  ↑↓ select  s sort by next column  r reverse
",
        );
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

    #[test]
    fn help_fits_into_80_columns_and_24_lines() {
        let (mut screen, at) = polled();
        press(&mut screen, KeyCode::Char('?'));
        let lines = lines_of(80, 24, |frame| screen.draw(frame, at));
        for line in HELP.lines() {
            assert!(lines.lines().any(|shown| shown == line), "{line}\n{lines}");
        }
        assert!(press(&mut screen, KeyCode::Esc));
        let lines = lines_of(80, 24, |frame| screen.draw(frame, at));
        assert!(lines.contains("backends of channel 1"), "{lines}");
        assert!(!press(&mut screen, KeyCode::Esc));
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
