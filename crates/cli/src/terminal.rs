//! What may reach a terminal. Titles, names and reasons come from senders and are hostile: no control character, no
//! direction override and no line break of theirs may move the cursor, hide text or forge a line of ours.

use std::{borrow::Cow, io::Write};

/// `text` with everything that could play tricks written as an escape.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    escape(text, tricky)
}

/// The same for text of our own that may quote a sender's: line breaks stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escape(text, |c| c != '\n' && tricky(c))
}

/// Writes one line to standard error; when nobody reads it, that is no failure.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// The word that the records use for a value of a closed list.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("not a word: {other:?}"),
    }
}

fn escape(text: &str, is_tricky: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_tricky) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_tricky(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and the format characters that reorder or hide text
/// (Unicode Technical Report 36, <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>).
fn tricky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}' | '\u{fff9}'..='\u{fffb}')
}

/// Numbers of things as one says them: 1 alert, 2 alerts.
pub(crate) fn many(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_gets_through() {
        assert_eq!(safe("disk full on db-1"), "disk full on db-1");
        assert_eq!(safe("日本語 ü"), "日本語 ü");
        assert_eq!(safe("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(safe("a\nb\rc"), "a\\nb\\rc");
        assert_eq!(safe("\u{202e}evil\u{9b}2J"), "\\u{202e}evil\\u{9b}2J");
        assert_eq!(plain("a\nb\u{7}"), "a\nb\\u{7}");
    }
}
