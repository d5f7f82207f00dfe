//! A table of files: component, files, depends on, complexity.

use super::entry::{self, Entry};
use super::fields::{self, Field};
use super::lines;
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use crate::diagnostic::visible;
use crate::text::elide_end;

/// The columns of a table that is read.
pub(super) struct Table {
    /// What each column is about, with its head.
    columns: Vec<(Option<Field>, String)>,
}

impl Table {
    /// The table with this head, if it is one of work to be done; tells which columns are only notes.
    pub(super) fn begin(head: &str, place: Place, losses: &mut Losses) -> Option<Self> {
        let columns: Vec<(Option<Field>, String)> = lines::cells(head)
            .into_iter()
            .map(|head| (fields::field(&head), elide_end(lines::bare(&head), 40).into_owned()))
            .collect();
        let has = |wanted: Field| columns.iter().any(|(field, _)| *field == Some(wanted));
        let named = has(Field::Name) || has(Field::Id);
        if !(has(Field::Files) || named && (has(Field::Depends) || has(Field::Complexity))) {
            let message = format!("a table without a column of files or of what depends on what: {}", quoted(head));
            losses.dropped(Code::NotATask, place, message, "left out");
            return None;
        }
        for (_, head) in columns.iter().filter(|(field, head)| field.is_none() && !head.is_empty()) {
            let message = format!("the column `{}` has no home", visible(head));
            losses.kept(Code::NoHome, place, message, "kept in the notes");
        }
        Some(Self { columns })
    }

    /// What a row says.
    pub(super) fn row(&self, row: &str, place: Place, losses: &mut Losses) -> Entry {
        let cells = lines::cells(row);
        let mut entry = Entry { in_files_section: true, ..Entry::default() };
        for ((field, head), cell) in self.columns.iter().zip(&cells) {
            match field {
                Some(field) => entry::set(&mut entry, *field, cell, place, losses),
                None if !fields::is_nothing(cell) => entry.notes.push(format!("{head}: {cell}")),
                None => {}
            }
        }
        if cells.len() > self.columns.len() {
            let message = format!("a row with more cells than its table has columns: {}", quoted(row));
            losses.dropped(Code::Value, place, message, "the cells beyond are left out");
        }
        entry
    }
}
