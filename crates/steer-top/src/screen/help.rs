//! The help: keys, colours and columns.
//!
//! Must not depend on: statistics.

use ratatui::style::Color;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Shown by `?`. It fits into 80 columns and 24 lines, with the title and the keys.
const HELP: &str = "\
? or Esc    close this help            q           quit
Tab         go to the other table      ↑ ↓         select a row (or j, k)
s, S        sort by the next or the previous column: * marks it
r           reverse the order: ^ marks it   m   backends or custom metrics

green       READY
yellow      IDLE or CONNECTING
red         TRANSIENT_FAILURE, faults of a policy, or calls that fail

CALLS/S, ERRORS/S   calls per second, and those that ended with an error,
                    between the last two polls
HISTORY             the last 10 values of CALLS/S, newest last: █ is the largest
                    of the channel, · is 0; shown if the screen is wide enough
OF CALLS            the backend's share of the channel's calls in that time
CHANNEL             the same for all policies of one channel, as with xDS
P50, P99            latency of all calls so far, as quantiles
EWMA                the latency estimate of steer_peak_ewma
OF TABLE            the backend's share of a ring or table
-                   unknown

Only some policies count calls. To count all calls, set STEER_STATS=calls in the
process's environment or call steer::TrackCalls(true) before its first channel.";

/// The help, with the names of colours in these colours.
pub(super) fn help() -> Paragraph<'static> {
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

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyCode;

    use super::super::fixture::{polled, press};
    use super::super::print::lines_of;
    use super::*;

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
}
