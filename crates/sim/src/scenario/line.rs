//! The small syntax of a line: words, quoted words, and `name=value` pairs; and times as `90s`, `2m30s`, `1h`.

use model::Span;

/// A line cut into words; quotes hold words together and `name="two words"` is one word.
pub(crate) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            c if c.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

/// `90s`, `2m30s`, `1h`, `250ms`, `-5m`, `0s`.
pub(crate) fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is no time; write 90s, 2m30s, 1h, 250ms or -5m");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut ms = 0_i64;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        ms += number.checked_mul(unit).ok_or_else(wrong)?;
        rest = &rest[letters..];
    }
    if text.trim_start_matches('-').is_empty() {
        Err(wrong())
    } else {
        Ok(Span::from_millis(sign * ms))
    }
}

/// The inverse of [`span`], with no more units than needed.
pub(crate) fn show(span: Span) -> String {
    let ms = span.millis();
    let mut out = if ms < 0 { "-".to_owned() } else { String::new() };
    let mut left = ms.abs();
    for (unit, length) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        let n = left / length;
        left %= length;
        if n > 0 {
            out.push_str(&format!("{n}{unit}"));
        }
    }
    if ms == 0 { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip() {
        for text in ["0s", "20s", "2m30s", "1h", "250ms", "-5m", "1d2h", "1s500ms"] {
            assert_eq!(show(span(text).unwrap()), text);
        }
        for wrong in ["", "-", "20", "s", "2 m", "1w"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("0s firing a \"b c\" text=\"d e\" f=\"\"").unwrap(),
            ["0s", "firing", "a", "b c", "text=d e", "f="]
        );
        assert_eq!(words("\"\"").unwrap(), [""]);
        assert!(words("\"a").is_err());
    }
}
