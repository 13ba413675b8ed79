//! One table on the screen: its rows in order, the selected one, and where it is scrolled to.
//!
//! Must not know: what its rows are.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Text;
use ratatui::widgets::{Block, Borders, Cell as Field, Row, Table, TableState};

use crate::columns::{Cell, Column};

/// How a table is sorted, and which of its rows is selected.
#[derive(Debug, Default)]
pub struct Sorted {
    /// By which column; none: as the process tells it.
    by: Option<usize>,
    backwards: bool,
    state: TableState,
}

/// Where to go in a table.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    /// Down by so many rows; up, when negative.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Sorted {
    /// Sorts by the next column, or by the one before; between the last and the first, by none.
    pub fn next_column<R>(&mut self, columns: &[Column<R>], rows: &[R], back: bool) {
        let shown: Vec<usize> = shown(columns, rows);
        let place = self.by.and_then(|by| shown.iter().position(|column| *column == by));
        let next = match (place, back) {
            (None, false) => Some(0),
            (None, true) => Some(shown.len() - 1),
            (Some(place), false) => Some(place + 1),
            (Some(place), true) => place.checked_sub(1),
        };
        self.by = next.and_then(|next| shown.get(next).copied());
        self.backwards = false;
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.backwards = !self.backwards;
    }

    /// Puts rows into this table's order.
    pub fn sort<R>(&self, columns: &[Column<R>], rows: &mut [R]) {
        if let Some(by) = self.by {
            // Stable: rows that are alike stay where they were.
            rows.sort_by_cached_key(|row| Key((columns[by].cell)(row)));
        }
        if self.backwards {
            rows.reverse();
        }
    }

    /// The selected row.
    pub fn selected(&self) -> Option<usize> {
        self.state.selected()
    }

    /// Selects a row.
    pub fn select(&mut self, row: Option<usize>) {
        self.state.select(row);
    }

    /// Selects another of so many rows.
    pub fn go(&mut self, to: Move, rows: usize) {
        let last = rows.saturating_sub(1);
        let row = match to {
            Move::By(rows) => self.selected().unwrap_or(0).saturating_add_signed(rows),
            Move::First => 0,
            Move::Last => last,
        };
        self.select(Some(row.min(last)));
    }

    /// Draws the table. Columns are as wide as what is in them, as far as there is room.
    pub fn draw<R>(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        title: String,
        columns: &[Column<R>],
        rows: &[R],
        focused: bool,
    ) {
        let mut shown = shown(columns, rows);
        let cells: Vec<Vec<Cell>> = rows
            .iter()
            .map(|row| shown.iter().map(|column| (columns[*column].cell)(row)).collect())
            .collect();
        let mut widths: Vec<usize> = shown
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let head = self.head(columns, *column).chars().count();
                let cells = cells.iter().map(|row| row[place].text().chars().count());
                cells.fold(head, usize::max)
            })
            .collect();
        let flexible: Vec<bool> = shown.iter().map(|column| columns[*column].flexible).collect();
        fit(&mut widths, &flexible, usize::from(area.width));
        shown.truncate(widths.len());
        let constraints = widths.iter().map(|width| Constraint::Length(*width as u16));
        let heads = shown.iter().enumerate().map(|(place, column)| {
            let right = cells.first().is_some_and(|row| row[place].is_number());
            field(self.head(columns, *column), right)
        });
        let body = cells.iter().map(|row| {
            let row = &row[..shown.len()];
            Row::new(row.iter().map(|cell| field(cell.text(), cell.is_number()).style(style(cell))))
        });
        let selected = match focused {
            true => Style::new().reversed(),
            false => Style::new().bold(),
        };
        let table = Table::new(body, constraints)
            .header(Row::new(heads).style(Style::new().bold()))
            .column_spacing(SPACING as u16)
            .row_highlight_style(selected)
            .block(Block::new().borders(Borders::TOP).title(title));
        frame.render_stateful_widget(table, area, &mut self.state);
    }

    fn head<R>(&self, columns: &[Column<R>], column: usize) -> String {
        let mark = match (self.by == Some(column), self.backwards) {
            (false, _) => "",
            (true, false) => "*",
            (true, true) => "^",
        };
        format!("{}{mark}", columns[column].head)
    }
}

/// A cell, in the order of its column.
struct Key(Cell);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.order(&other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// The columns that have anything to show, by their place.
fn shown<R>(columns: &[Column<R>], rows: &[R]) -> Vec<usize> {
    let has_any = |column: &Column<R>| {
        !column.optional || rows.iter().any(|row| !(column.cell)(row).is_unknown())
    };
    (0..columns.len()).filter(|column| has_any(&columns[*column])).collect()
}

/// Between two columns.
const SPACING: usize = 2;

/// What is left of a column that may be cut.
const LEAST: usize = 8;

/// Makes columns fit: those that may be cut are, and then the last ones are left out.
fn fit(widths: &mut Vec<usize>, flexible: &[bool], room: usize) {
    let taken = |widths: &[usize]| widths.iter().map(|width| width + SPACING).sum::<usize>();
    let room = room + SPACING;
    for (place, flexible) in flexible.iter().enumerate() {
        let least = widths[place].min(LEAST);
        if *flexible {
            let excess = taken(widths).saturating_sub(room);
            widths[place] = widths[place].saturating_sub(excess).max(least);
        }
    }
    while taken(widths) > room && widths.len() > 1 {
        widths.pop();
    }
}

fn field(text: String, right: bool) -> Field<'static> {
    let alignment = if right { Alignment::Right } else { Alignment::Left };
    Field::new(Text::from(text).alignment(alignment))
}

fn style(cell: &Cell) -> Style {
    let color = match cell {
        Cell::State(state) => match state.as_str() {
            "READY" => Color::Green,
            "TRANSIENT_FAILURE" => Color::Red,
            _ => Color::Yellow,
        },
        Cell::Faults(Some(1..)) => Color::Red,
        Cell::FaultRate(Some(rate)) if *rate > 0.0 => Color::Red,
        _ => return Style::new(),
    };
    Style::new().fg(color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_fit(room: usize, expected: &[usize]) {
        let mut widths = vec![2, 20, 5, 6];
        fit(&mut widths, &[false, true, false, false], room);
        assert_eq!(widths, expected);
    }

    #[test]
    fn columns_that_may_be_cut_give_way_first_and_then_the_last_ones() {
        assert_fit(39, &[2, 20, 5, 6]);
        assert_fit(38, &[2, 19, 5, 6]);
        assert_fit(27, &[2, 8, 5, 6]);
        assert_fit(26, &[2, 8, 5]);
        assert_fit(1, &[2]);
    }
}
