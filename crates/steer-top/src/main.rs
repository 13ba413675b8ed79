//! `steer-top` shows what Steer does in a running process, live in a terminal.
//!
//! The process serves its statistics as JSON (see `docs/statistics.md`). `steer-top` polls them,
//! and shows the current values and the rates between two polls.

mod columns;
mod history;
mod metrics;
mod rates;
mod screen;
mod source;
mod stats;
mod table;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use screen::Screen;
use source::Source;
use stats::Stats;

/// Shows the channels, policies and backends of a running process with Steer, live.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// The address where the process serves its statistics, as http://127.0.0.1:PORT. Add the path
    /// if it is not /stats.json.
    address: String,
    /// The time between two polls, such as 500ms or 2s.
    #[arg(long, default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Poll twice, an interval apart, print all tables, and exit.
    #[arg(long)]
    once: bool,
    /// The maximum width of the tables that --once prints.
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: u16,
}

const AFTER_HELP: &str = "Press ? for the keys, the colours and the columns.

Only some policies count calls. To count the calls of all policies, start the process with
STEER_STATS=calls in its environment, or call steer::TrackCalls(true) in it.";

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval < Duration::from_millis(50) {
        return Err("the interval is at least 50ms".to_owned());
    }
    Ok(interval)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let source = Source::new(&arguments.address, source::patience(arguments.interval));
    let screen = Screen::new(source.url());
    let outcome = if arguments.once {
        once(&source, screen, &arguments)
    } else {
        live(source, screen, arguments.interval)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("steer-top: {error}");
            ExitCode::FAILURE
        }
    }
}

fn once(source: &Source, mut screen: Screen, arguments: &Arguments) -> Result<(), String> {
    for poll in 0..2 {
        if poll > 0 {
            thread::sleep(arguments.interval);
        }
        screen.polled(Instant::now(), Ok(source.poll()?));
    }
    print!("{}", screen.print(arguments.width));
    Ok(())
}

fn live(source: Source, screen: Screen, interval: Duration) -> Result<(), String> {
    if !io::stdout().is_terminal() {
        return Err(
            "standard output is not a terminal; --once prints the tables as text".to_owned()
        );
    }
    let mut terminal = ratatui::try_init().map_err(|error| error.to_string())?;
    let outcome = show(&mut terminal, screen, &poll_for_ever(source, interval));
    ratatui::restore();
    outcome.map_err(|error| error.to_string())
}

type Answer = (Instant, Result<Stats, String>);

/// Polls on another thread, so that keys work while a server is slow.
fn poll_for_ever(source: Source, interval: Duration) -> Receiver<Answer> {
    let (answers, received) = channel();
    thread::spawn(move || {
        loop {
            let answer = source.poll();
            if answers.send((Instant::now(), answer)).is_err() {
                return;
            }
            thread::sleep(interval);
        }
    });
    received
}

/// The longest time until a key or an answer shows on the screen.
const GLANCE: Duration = Duration::from_millis(50);

fn show(
    terminal: &mut DefaultTerminal,
    mut screen: Screen,
    answers: &Receiver<Answer>,
) -> io::Result<()> {
    loop {
        terminal.draw(|frame| screen.draw(frame, Instant::now()))?;
        if event::poll(GLANCE)? {
            if let Event::Key(key) = event::read()? {
                if !screen.key(key) {
                    return Ok(());
                }
            }
        }
        while let Ok((at, answer)) = answers.try_recv() {
            screen.polled(at, answer);
        }
    }
}
