//! Words in lower case without a copy on the heap, for comparing what senders write with the words we know.

/// The trimmed text with its ASCII letters in lower case; `None` where it is empty or does not fit the buffer, which is
/// as long as the longest word that is looked for.
pub(crate) fn trimmed<'b>(text: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let text = text.trim();
    if text.is_empty() || text.len() > buffer.len() {
        return None;
    }
    let lower = &mut buffer[..text.len()];
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    Some(lower)
}

/// Whether a word is one of these, in any case.
pub(crate) fn among(word: &str, list: &[&str]) -> bool {
    list.iter().any(|other| word.eq_ignore_ascii_case(other))
}
