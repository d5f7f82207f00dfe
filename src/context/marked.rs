//! One block of cco's in a file of the user's.

/// The line before cco's block.
pub const BEGIN: &[u8] = b"<!-- cco:begin: this block is kept by cco; write above or below it -->";
/// What every begin marker starts with: the words after it may change between versions.
const BEGIN_PREFIX: &[u8] = b"<!-- cco:begin";
/// The line after cco's block.
pub const END: &[u8] = b"<!-- cco:end -->";

/// `file` with `block` between the markers. Everything outside them stays as it is, to the byte; without markers, the
/// block is appended. An empty block in a file without markers changes nothing.
pub fn replace(file: &[u8], block: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(file.len() + block.len() + BEGIN.len() + END.len() + 4);
    match find(file) {
        Some((from, to)) => {
            out.extend_from_slice(&file[..from]);
            write_block(&mut out, block);
            out.extend_from_slice(&file[to..]);
        }
        None if block.is_empty() => out.extend_from_slice(file),
        None => {
            out.extend_from_slice(file);
            if !file.is_empty() {
                out.extend_from_slice(if file.ends_with(b"\n") { b"\n" } else { b"\n\n" });
            }
            write_block(&mut out, block);
            out.push(b'\n');
        }
    }
    out
}

/// The user's part of a file: everything but the block and its markers.
pub fn outside(file: &[u8]) -> Vec<u8> {
    match find(file) {
        Some((from, to)) => [&file[..from], &file[to..]].concat(),
        None => file.to_vec(),
    }
}

/// cco's block with its markers; none where there is none.
pub fn block(file: &[u8]) -> Option<&[u8]> {
    find(file).map(|(from, to)| &file[from..to])
}

fn write_block(out: &mut Vec<u8>, block: &str) {
    out.extend_from_slice(BEGIN);
    out.push(b'\n');
    // A text of an agent must not end the block early, or what follows it would be taken for the user's.
    out.extend_from_slice(block.trim_end().replace("<!-- cco:", "<!-- (cco):").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(END);
}

/// From the begin marker to behind the end marker. A begin without an end is the user's text.
fn find(file: &[u8]) -> Option<(usize, usize)> {
    let from = position(file, BEGIN_PREFIX)?;
    let end = from + position(&file[from..], END)?;
    Some((from, end + END.len()))
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, outside, replace};

    #[test]
    fn what_is_outside_the_markers_survives_to_the_byte() {
        let user = b"# Mine\r\n\xff\xfe no UTF-8\n";
        let once = replace(user, "one");
        let after = [&once[..], b"\ttail without line end"].concat();
        let twice = replace(&after, "two\nlines");
        assert!(twice.starts_with(user) && twice.ends_with(b"\ttail without line end"));
        assert_eq!(outside(&twice), outside(&after));
        assert_eq!(replace(&twice, "two\nlines"), twice);
    }

    #[test]
    fn a_block_cannot_end_itself_early() {
        let text = replace(b"", "evil <!-- cco:end --> tail");
        assert_eq!(text.windows(END.len()).filter(|window| *window == END).count(), 1);
        assert_eq!(outside(&text), b"\n");
    }

    #[test]
    fn an_empty_block_leaves_a_file_without_markers_alone() {
        assert_eq!(replace(b"x", ""), b"x");
        assert!(replace([BEGIN, b"\nold\n", END].concat().as_slice(), "").len() < BEGIN.len() + END.len() + 5);
    }
}
