//! `steer-top`: what Steer does in a running process, live in a terminal.
//!
//! The process serves its statistics as JSON (`docs/statistics.md` says how); this asks for them
//! again and again, and shows what is and what happens between two polls.

mod columns;
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

/// Shows what Steer does in a running process: channels, policies and backends, live.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where the process serves its statistics: http://127.0.0.1:PORT, with a path if it is not
    /// /stats.json.
    address: String,
    /// How often to ask.
    #[arg(long, default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Ask twice, an interval apart, print all tables, and end.
    #[arg(long)]
    once: bool,
    /// How wide what --once prints is at most.
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: u16,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval < Duration::from_millis(50) {
        return Err("less than 50ms".to_owned());
    }
    Ok(interval)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let source = Source::new(&arguments.address, screen::patience(arguments.interval));
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
        return Err("this is no terminal; --once prints the tables anywhere".to_owned());
    }
    let mut terminal = ratatui::try_init().map_err(|error| error.to_string())?;
    let outcome = show(&mut terminal, screen, &poll_for_ever(source, interval));
    ratatui::restore();
    outcome.map_err(|error| error.to_string())
}

type Answer = (Instant, Result<Stats, String>);

/// Polls on a thread of its own, so that keys are heard while a server takes its time.
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

/// How long a key or an answer may wait to be seen.
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
