//! Reads the values of a TOML document, and collects the faults that are found on the way.
//!
//! A function that reads a value takes a [`Node`]. It returns `None` after it has reported a fault.
//! Reading then goes on with the next field, so that all faults of a file are found at once.
//!
//! Must not depend on: what the fields mean.

use std::cell::RefCell;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;

/// Shorter values are quoted in faults as they are. Others end with "…" after this many characters.
const LONGEST_QUOTE: usize = 40;

/// A file while it is read.
pub(super) struct Source<'a> {
    /// The folder from which the paths of other files count.
    pub(super) folder: &'a Path,
    /// Where each line begins.
    line_starts: Vec<usize>,
    /// The faults so far, each with its place.
    found: RefCell<Vec<(usize, Fault)>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &str, folder: &'a Path) -> Source<'a> {
        let line_starts = text.match_indices('\n').map(|(end, _)| end + 1);
        let line_starts = std::iter::once(0).chain(line_starts).collect();
        Source { folder, line_starts, found: RefCell::default() }
    }

    /// The line of this place, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    pub(super) fn fault(&self, offset: usize, path: &str, error: impl Into<String>) {
        let line = Some(self.line(offset));
        let fault = Fault { line, path: path.to_owned(), error: error.into() };
        self.found.borrow_mut().push((offset, fault));
    }

    /// The faults, in the order of their places.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(offset, _)| *offset);
        found.into_iter().map(|(_, fault)| fault).collect()
    }

    /// Reads the fields of the whole document.
    pub(super) fn root<T>(
        &self,
        table: &'a DeTable<'a>,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        Fields::read_all(Fields::new(self, table, 0, String::new()), read)
    }
}

/// A value, with its place.
pub(super) struct Node<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) value: &'a DeValue<'a>,
    offset: usize,
    path: String,
}

impl<'a> Node<'a> {
    fn new(source: &'a Source<'a>, value: &'a Spanned<DeValue<'a>>, path: String) -> Node<'a> {
        Node { source, value: value.get_ref(), offset: value.span().start, path }
    }

    /// Reports a fault of this value.
    pub(super) fn fault(&self, error: impl Into<String>) {
        self.source.fault(self.offset, &self.path, error);
    }

    /// Reports that this value is not what it should be.
    pub(super) fn expected<T>(&self, what: &str) -> Option<T> {
        self.fault(format!("expected {what}, not {}", quote(self.value)));
        None
    }

    /// Reports that no such name exists, and suggests the nearest one that does.
    pub(super) fn unknown<'n, T>(
        &self,
        what: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Option<T> {
        let name = self.value.as_str().unwrap_or_default();
        let nearest = nearest(name, known);
        let hint = nearest.map(|known| format!(", did you mean {known:?}?")).unwrap_or_default();
        self.fault(format!("{what}, not {}{hint}", quote(self.value)));
        None
    }

    /// The line where it stands.
    pub(super) fn line(&self) -> usize {
        self.source.line(self.offset)
    }

    /// Reads a table.
    pub(super) fn table<T>(&self, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let Some(table) = self.value.as_table() else { return self.expected("a table") };
        let fields = Fields::new(self.source, table, self.offset, self.path.clone());
        Some(Fields::read_all(fields, read))
    }

    /// Reads a list. Entries with faults are `None`.
    pub(super) fn entries<T>(
        &self,
        mut read: impl FnMut(&Node<'a>) -> Option<T>,
    ) -> Option<Vec<Option<T>>> {
        let Some(list) = self.value.as_array() else { return self.expected("a list") };
        let node = |(i, value)| Node::new(self.source, value, format!("{}[{i}]", self.path));
        Some(list.iter().enumerate().map(|entry| read(&node(entry))).collect())
    }

    /// Reads a list. `None` if any entry has a fault.
    pub(super) fn list<T>(&self, read: impl FnMut(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.entries(read)?.into_iter().collect()
    }

    /// Reads a list that must have an entry.
    pub(super) fn some<T>(
        &self,
        what: &str,
        read: impl FnMut(&Node<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.list(read)?;
        if list.is_empty() {
            self.fault(format!("expected at least one {what}"));
            return None;
        }
        Some(list)
    }
}

/// The fields of a table while they are read. A field that nothing has asked for is a fault.
pub(super) struct Fields<'a> {
    pub(super) source: &'a Source<'a>,
    table: &'a DeTable<'a>,
    offset: usize,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn new(source: &'a Source<'a>, table: &'a DeTable<'a>, offset: usize, path: String) -> Self {
        Fields { source, table, offset, path, known: Vec::new() }
    }

    fn read_all<T>(mut fields: Fields<'a>, read: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        let value = read(&mut fields);
        fields.report_unknown();
        value
    }

    /// The value of a field.
    pub(super) fn node(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.allow(&[key]);
        let value = self.table.get(key)?;
        Some(Node::new(self.source, value, self.path_of(key)))
    }

    /// Whether the table has the field.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reads a field. `None` if it is absent or has a fault.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> Option<T> {
        read(&self.node(key)?)
    }

    /// Reads a field that has a default.
    pub(super) fn read_or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> T {
        self.read(key, read).unwrap_or(default)
    }

    /// Reads a field that must be there.
    pub(super) fn require<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.fault(format!("{key} is missing"));
        }
        self.read(key, read)
    }

    /// Takes these keys as known, without reading them.
    pub(super) fn allow(&mut self, keys: &[&'static str]) {
        for key in keys {
            if !self.known.contains(key) {
                self.known.push(key);
            }
        }
    }

    /// Reports a fault of the whole table.
    pub(super) fn fault(&self, error: impl Into<String>) {
        self.source.fault(self.offset, &self.path, error);
    }

    /// Reports a fault of a field. Without the field, the fault is that of the table.
    pub(super) fn fault_at(&self, key: &str, error: impl Into<String>) {
        match self.table.get(key) {
            Some(value) => self.source.fault(value.span().start, &self.path_of(key), error),
            None => self.fault(error),
        }
    }

    fn path_of(&self, key: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.path, path_segment(key))
    }

    fn report_unknown(&self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let hint = match nearest(name, self.known.iter().copied()) {
                Some(known) => format!("did you mean {known}?"),
                None => format!("expected one of {}", self.known.join(", ")),
            };
            let error = format!("unknown key, {hint}");
            self.source.fault(key.span().start, &self.path_of(name), error);
        }
    }
}

/// A key as a part of a path: as TOML allows it without quotes, otherwise quoted.
fn path_segment(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quote_text(key) }
}

/// A value in a fault.
pub(super) fn quote(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quote_text(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

pub(super) fn quote_text(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// The known name that is nearest to a name, if it is likely to be meant.
fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // A longer name is no typing error of one of ours. Comparing it would cost its length squared.
    if name.len() > 2 * LONGEST_QUOTE {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let likely = |distance: usize, known: &str| {
        // A part of a name is meant, too, as "round_robin" of "steer_round_robin".
        distance * 3 <= known.chars().count().max(3) || (name.len() > 3 && known.contains(name))
    };
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| likely(*distance, known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
