//! A table on the screen: the order of its rows, the selected row, and the scroll position.
//!
//! Must not depend on: the type of its rows.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Text;
use ratatui::widgets::{Block, Borders, Cell as Field, Row, Table, TableState};

use crate::columns::{Cell, Column};

/// How a table is sorted, and which row is selected.
#[derive(Debug, Default)]
pub struct Sorted {
    /// The index of the sort column; `None` for the order in which the process reports rows.
    by: Option<usize>,
    backwards: bool,
    state: TableState,
}

/// How to move the selection.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    /// Down by this many rows; up if negative.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

/// The columns and the text of a table that fits the screen.
struct Fitted {
    /// The columns that are shown, by number.
    shown: Vec<usize>,
    /// By row. May have more columns than are shown.
    cells: Vec<Vec<Cell>>,
    /// The widths of the columns that are shown.
    widths: Vec<usize>,
    /// The widths that they need to be shown whole.
    whole: Vec<usize>,
}

impl Sorted {
    /// Sorts by the next column, or by the previous one if `back`. After the last column comes the
    /// process's own order.
    pub fn next_column<R>(&mut self, columns: &[Column<R>], rows: &[R], back: bool) {
        let mut shown = shown(columns, rows);
        shown.retain(|column| !columns[*column].spare);
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

    /// Reverses the order.
    pub fn reverse(&mut self) {
        self.backwards = !self.backwards;
    }

    /// Sorts rows.
    pub fn sort<R>(&self, columns: &[Column<R>], rows: &mut [R]) {
        if let Some(by) = self.by {
            // The sort is stable: equal rows keep their order.
            rows.sort_by_cached_key(|row| Key((columns[by].cell)(row)));
        }
        if self.backwards {
            rows.reverse();
        }
    }

    /// Returns the index of the selected row.
    pub fn selected(&self) -> Option<usize> {
        self.state.selected()
    }

    /// Selects a row.
    pub fn select(&mut self, row: Option<usize>) {
        self.state.select(row);
    }

    /// Moves the selection in a table with this many rows.
    pub fn go(&mut self, to: Move, rows: usize) {
        let last = rows.saturating_sub(1);
        let row = match to {
            Move::By(rows) => self.selected().unwrap_or(0).saturating_add_signed(rows),
            Move::First => 0,
            Move::Last => last,
        };
        self.select(Some(row.min(last)));
    }

    /// Draws the table. Columns are as wide as their cells, if there is room. Otherwise the spare
    /// columns are left out first.
    pub fn draw<R>(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        title: String,
        columns: &[Column<R>],
        rows: &[R],
        focused: bool,
    ) {
        let Fitted { shown, cells, widths, whole } =
            self.fit(usize::from(area.width), columns, rows);
        let constraints = widths.iter().map(|width| Constraint::Length(*width as u16));
        let heads = shown.iter().enumerate().map(|(place, column)| {
            let right = cells.first().is_some_and(|row| row[place].is_number());
            field(self.head(columns, *column), right)
        });
        let body = cells.iter().map(|row| {
            let fields = shown.iter().enumerate().map(|(place, column)| {
                let cell = &row[place];
                let text = match columns[*column].shorten {
                    Some(shorten) if widths[place] < whole[place] => {
                        (shorten.text)(&cell.text(), widths[place])
                    }
                    _ => cell.text(),
                };
                field(text, cell.is_number()).style(style(cell))
            });
            Row::new(fields)
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

    /// Chooses the columns and their widths for a screen of this width.
    fn fit<R>(&self, width: usize, columns: &[Column<R>], rows: &[R]) -> Fitted {
        let mut shown = shown(columns, rows);
        let mut cells: Vec<Vec<Cell>> = rows
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
        while taken(&widths) > width {
            let spare = |column: &usize| columns[*column].spare;
            let Some(place) = shown.iter().position(spare) else { break };
            shown.remove(place);
            widths.remove(place);
            cells.iter_mut().for_each(|row| drop(row.remove(place)));
        }
        let least = |column: &usize| columns[*column].shorten.map(|shorten| shorten.least);
        let least: Vec<Option<usize>> = shown.iter().map(least).collect();
        let whole = widths.clone();
        fit(&mut widths, &least, width);
        shown.truncate(widths.len());
        Fitted { shown, cells, widths, whole }
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

/// A cell as a sort key.
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

/// Returns the indices of the columns to show.
fn shown<R>(columns: &[Column<R>], rows: &[R]) -> Vec<usize> {
    let has_any = |column: &Column<R>| {
        !column.optional || rows.iter().any(|row| !(column.cell)(row).is_unknown())
    };
    (0..columns.len()).filter(|column| has_any(&columns[*column])).collect()
}

/// The space between two columns.
const SPACING: usize = 2;

/// Returns the width of a table whose columns have these widths.
fn taken(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + SPACING).sum::<usize>().saturating_sub(SPACING)
}

/// Fits columns into the room. First shortens those that have a least width, and then removes the
/// last columns.
fn fit(widths: &mut Vec<usize>, least: &[Option<usize>], room: usize) {
    for (place, least) in least.iter().enumerate() {
        if let Some(least) = least {
            let excess = taken(widths).saturating_sub(room);
            let least = widths[place].min(*least);
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
        fit(&mut widths, &[None, Some(8), None, None], room);
        assert_eq!(widths, expected);
    }

    #[test]
    fn a_narrow_table_shortens_columns_and_then_drops_the_last_ones() {
        assert_fit(39, &[2, 20, 5, 6]);
        assert_fit(38, &[2, 19, 5, 6]);
        assert_fit(27, &[2, 8, 5, 6]);
        assert_fit(26, &[2, 8, 5]);
        assert_fit(1, &[2]);
    }
}
