//! What a pure room must not touch. `clippy.toml` of each pure crate says the same to the compiler's types; this scan
//! needs no compiler, catches what clippy resolves to nothing (a feature, a macro), and shows that the rule bites.

/// Words that bring in a clock, dice, the machine, or an order that differs between two runs.
const REFUSED: [(&str, &str); 18] = [
    ("SystemTime", "time comes from records"),
    ("Instant", "time comes from records"),
    ("Timestamp::now", "time comes from records"),
    ("Zoned::now", "time comes from records"),
    ("std::fs", "files are opened by the shell"),
    ("TcpStream", "sockets are opened by the shell"),
    ("TcpListener", "sockets are opened by the shell"),
    ("UdpSocket", "sockets are opened by the shell"),
    ("std::thread", "a fold has no threads"),
    ("std::env", "settings are arguments"),
    ("std::process", "processes belong to the shell"),
    ("std::os", "the machine is not an input"),
    ("RandomState", "a random hash key makes order differ between runs"),
    ("DefaultHasher", "its output may change with the compiler"),
    ("rand::", "dice come from a seed"),
    ("getrandom", "dice come from a seed"),
    ("println!", "output is a return value"),
    ("thread_local!", "state lives in the value that is folded"),
];

/// The lines of a pure room's source that break the rule: line number from 1, and why. Comments, strings and the tests at the
/// end of a file are not looked at.
pub fn impure_lines(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (i, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let code = code_of(line);
        for (word, reason) in REFUSED {
            if contains_word(&code, word) {
                found.push((i + 1, format!("`{word}`: {reason}")));
            }
        }
    }
    found
}

/// The line without its comment and without what stands in double quotes.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            c if !in_string => code.push(c),
            _ => {}
        }
    }
    code
}

fn contains_word(code: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let open_end = word.ends_with([':', '!']);
        !before.is_some_and(joins) && (open_end || !after.is_some_and(joins))
    })
}
