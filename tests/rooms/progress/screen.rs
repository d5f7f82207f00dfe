//! As much of a terminal as a picture needs: where the cursor goes, and what is left to be seen.

use cco::text;

/// A high terminal: it never scrolls. A cell is none where the character before it takes two.
pub struct Screen {
    lines: Vec<Vec<Option<char>>>,
    line: usize,
    column: usize,
    width: usize,
}

impl Screen {
    /// What is seen after `bytes` were written to a terminal `width` columns wide.
    pub fn after(bytes: &[u8], width: usize) -> String {
        let mut screen = Self { lines: Vec::new(), line: 0, column: 0, width };
        let text = String::from_utf8_lossy(bytes);
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '\r' => screen.column = 0,
                '\n' => (screen.line, screen.column) = (screen.line + 1, 0),
                '\u{1b}' => screen.steer(&sequence(&mut rest)),
                _ => screen.put(character),
            }
        }
        let lines: Vec<String> = screen.lines.iter().map(|line| line.iter().flatten().collect::<String>()).collect();
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Wraps only when there is no room for `character`, as terminals do: a line that was just filled is still it.
    fn put(&mut self, character: char) {
        let columns = text::width(character.encode_utf8(&mut [0; 4]));
        if self.column + columns > self.width {
            (self.line, self.column) = (self.line + 1, 0);
        }
        let (start, end) = (self.column, self.column + columns);
        let line = self.current();
        line.resize(line.len().max(end), Some(' '));
        line[start..end].fill(None);
        line[start] = Some(character);
        self.column = end;
    }

    fn steer(&mut self, sequence: &str) {
        let (number, command) = sequence.split_at(sequence.len() - 1);
        let n = number.parse().unwrap_or(1);
        match command {
            "A" => self.line = self.line.saturating_sub(n),
            "B" => self.line += n,
            "C" => self.column += n,
            "D" => self.column = self.column.saturating_sub(n),
            "K" => self.current().clear(),
            _ => panic!("an escape of another kind: {sequence:?}"),
        }
    }

    fn current(&mut self) -> &mut Vec<Option<char>> {
        self.lines.resize(self.lines.len().max(self.line + 1), Vec::new());
        &mut self.lines[self.line]
    }
}

/// The rest of an escape sequence behind its bracket, up to and with the letter that ends it.
fn sequence(rest: &mut impl Iterator<Item = char>) -> String {
    let mut sequence = String::new();
    for character in rest.skip(1) {
        sequence.push(character);
        if character.is_ascii_alphabetic() {
            break;
        }
    }
    sequence
}
