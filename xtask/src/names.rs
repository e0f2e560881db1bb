//! One word per thing. Names of our own types, traits and modules use the words of `docs/glossary.md` and none of
//! those it refuses. Words of others (a consumer group of Kafka, an alarm of CloudWatch) are theirs to choose: a name
//! may carry them where the glossary lists the exception.

/// The refused words of the glossary's "Not our words" table: `| word | say instead | but |`.
pub fn refused_words(glossary: &str) -> Vec<(String, Vec<String>)> {
    let section = glossary.split("\n## Not our words").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut words = Vec::new();
    for line in section.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [word, _instead, exceptions] = cells[..] else {
            continue;
        };
        if word == "word" || word.starts_with('-') {
            continue;
        }
        let exceptions = exceptions
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        words.push((word.to_lowercase(), exceptions));
    }
    words
}

/// The types, traits and modules that a source file declares: line from 1, and the name.
pub fn declared_names(source: &str) -> Vec<(usize, String)> {
    const KEYWORDS: [&str; 6] = ["struct", "enum", "trait", "type", "mod", "union"];
    let mut names = Vec::new();
    for (i, line) in source.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2).take(5) {
            if pair[0].starts_with("//") {
                break;
            }
            if KEYWORDS.contains(&pair[0]) {
                let name: String = pair[1]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                names.push((i + 1, name));
                break;
            }
        }
    }
    names
}

/// The lower-case words of a name: `DedupKey` and `dedup_key` give `dedup`, `key`.
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words
                .last_mut()
                .expect("starts with one")
                .extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Whether `name` carries `word`, in the singular or the plural.
pub fn carries(name: &str, word: &str) -> bool {
    words_of(name)
        .iter()
        .any(|w| w == word || w.strip_suffix('s') == Some(word))
}
