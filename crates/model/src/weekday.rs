//! Days of the week by their English names, whole or cut to three letters or more.

/// Monday first.
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The day that a word names, Monday being 0; case does not matter.
pub fn weekday(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    DAYS.iter()
        .position(|day| lower.len() >= 3 && day.starts_with(&lower))
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_letters_are_enough() {
        assert_eq!(super::weekday("Mon"), Some(0));
        assert_eq!(super::weekday("SUNDAY"), Some(6));
        assert_eq!(super::weekday("su"), None);
        assert_eq!(super::weekday("sundays"), None);
    }
}
