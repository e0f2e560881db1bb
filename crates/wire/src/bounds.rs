//! Bounds on names and keys.

use model::{Hash128, KEY_BYTES_MAX, Text};

/// The first `max` bytes, cut at a character boundary.
pub(crate) fn prefix(text: &str, max: usize) -> &str {
    if text.len() <= max {
        text
    } else {
        &text[..text.floor_char_boundary(max)]
    }
}

/// A key of at most [`KEY_BYTES_MAX`] bytes: a longer one keeps a readable prefix and ends in its hash.
pub(crate) fn key(key: Text) -> Text {
    if key.len() <= KEY_BYTES_MAX {
        return key;
    }
    let hash = Hash128::new("long key").part(key.as_bytes()).finish();
    compact_str::format_compact!("{}~{hash:032x}", prefix(&key, KEY_BYTES_MAX - 33))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_stay_apart() {
        let a = key("é".repeat(300).into());
        let b = key(format!("{}x", "é".repeat(299)).into());
        assert!(a.len() <= KEY_BYTES_MAX && b.len() <= KEY_BYTES_MAX);
        assert_ne!(a, b);
        assert_eq!(key("short".into()), "short");
    }
}
