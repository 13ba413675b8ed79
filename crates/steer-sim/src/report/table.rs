//! Tables as plain values, which HTML, Markdown and text each render in their own way.
//!
//! Must not depend on: outcomes, how a table is rendered.

/// A table. Its first column names the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// The titles of the columns, that of the first one included.
    pub columns: Vec<String>,
    /// The rows, each with a cell for each column. A row of one cell is the title of the rows below
    /// it, up to the next one.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// A detail of less weight, such as the spread of a number. May be empty.
    pub detail: String,
    /// How it is to be taken.
    pub tone: Tone,
}

/// What a cell says, for its colour. The text must say it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// A number or a name.
    #[default]
    Plain,
    /// Words instead of numbers, which may be wrapped.
    Words,
    /// Words about something that is as it should be.
    Good,
    /// Words about something that is not as it should be.
    Bad,
}

impl Table {
    /// A table without rows.
    pub fn new(caption: impl Into<String>, columns: &[&str]) -> Table {
        let columns = columns.iter().map(|column| column.to_string()).collect();
        Table { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// Whether a column has words, and not numbers. The first one always has.
    pub fn has_words(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter(|row| row.len() > 1).map(|row| &row[column]);
        column == 0 || cells.any(|cell| cell.tone != Tone::Plain)
    }
}

impl Cell {
    /// A cell with this text.
    pub fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A cell for a number, or a dash if there is none.
    pub fn number(value: Option<f64>, format: impl Fn(f64) -> String) -> Cell {
        Cell::new(value.map_or("–".to_string(), format))
    }

    /// A cell with words.
    pub fn words(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into(), detail: String::new(), tone }
    }

    /// The same cell with this detail.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Cell {
        self.detail = detail.into();
        self
    }
}
