//! Names and values written as text: `level=error msg="disk full"`, as programs log and firewalls report, and lines of
//! `Host: web1`, as the templates of most tools write their messages.

use model::Text;
use serde_json::{Map, Value};

use crate::state::{self, State};

/// Fields of one text, and bytes of a name, at most.
const FIELDS_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 32;
/// So many make a text one of names and values; fewer stand in any sentence.
const PAIRS_MIN: usize = 3;

/// One object for each line that is made of nothing but `name=value`; `None` when the first is not.
pub(crate) fn logged(text: &str) -> Option<impl Iterator<Item = (&str, Option<Value>)>> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    pairs_of(lines().next()?)?;
    Some(lines().map(|line| (line, pairs_of(line))))
}

fn pairs_of(line: &str) -> Option<Value> {
    let (mut fields, mut rest) = (Map::new(), line.trim());
    while !rest.is_empty() && fields.len() < FIELDS_MAX {
        let (name, after) = rest.split_once('=')?;
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(named) {
            return None;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_of(quoted)?,
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        fields.insert(name.to_owned(), value.into());
        rest = after.trim_start();
    }
    (fields.len() >= PAIRS_MIN).then_some(Value::Object(fields))
}

/// A value up to the quote that ends it, and what follows.
fn quoted_of(text: &str) -> Option<(String, &str)> {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return Some((value, &text[at + 1..])),
            '\\' if !escaped => escaped = true,
            _ => {
                value.push(c);
                escaped = false;
            }
        }
    }
    None
}

/// A text most of whose lines are `Name: value`, as an object of them and of the text itself. What its first line says of
/// the state holds where no field does.
pub(crate) fn message(text: &str) -> Option<Value> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in lines.iter().filter_map(|line| pair(line)).take(FIELDS_MAX) {
        fields.entry(name).or_insert_with(|| value.into());
    }
    if fields.len() < PAIRS_MIN || 2 * fields.len() < lines.len() {
        return None;
    }
    if let Some(state) = state::said(lines.first()?) {
        let word = if state == State::Resolved {
            "resolved"
        } else {
            "firing"
        };
        fields.entry("state").or_insert_with(|| word.into());
    }
    fields.entry("text").or_insert_with(|| text.into());
    Some(Value::Object(fields))
}

/// `Host: web1`: a name of a few words, and what it names.
pub(crate) fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '_' | '-'));
    (is_name && !value.is_empty() && !value.starts_with("//")).then_some((name, value))
}

/// The host, the service, the runbook and the link that lines of a text name.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) host: Option<Text>,
    pub(crate) service: Option<Text>,
    pub(crate) runbook: Option<Text>,
    pub(crate) link: Option<Text>,
}

/// Lines and bytes of a value that are looked at, at most.
const LINES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 128;

impl Said {
    pub(crate) fn in_lines_of(text: &str) -> Said {
        let mut said = Said::default();
        let pairs = text.lines().take(LINES_MAX).filter_map(pair);
        for (name, value) in pairs.filter(|(_, value)| value.len() <= VALUE_BYTES_MAX) {
            let field = match name.to_ascii_lowercase().as_str() {
                // `Server: nginx` is a header of what was answered.
                "host" | "hostname" | "host name" | "node" | "device" => &mut said.host,
                "service" | "service name" | "application" | "component" => &mut said.service,
                "runbook" | "runbook url" => &mut said.runbook,
                "url" | "link" => &mut said.link,
                _ => continue,
            };
            field.get_or_insert_with(|| value.into());
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_in_a_line() {
        let read = |line| logged(line).and_then(|mut lines| lines.next()?.1);
        assert_eq!(
            read(r#"level=error msg="disk \"sda\" full" host=db-1"#),
            Some(json!({"level": "error", "msg": "disk \"sda\" full", "host": "db-1"}))
        );
        for other in [
            "a=1 b=2", "GET /x?a=1 b=2 c=3", "a=1 b=2 and c=3", r#"a=1 b=2 c="3"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_header_of_an_answer_is_no_host() {
        let of = |text| Said::in_lines_of(text).host;
        assert_eq!(
            of("HTTP/1.1 502 Bad Gateway\nServer: nginx\nContent-Length: 0"),
            None
        );
        assert_eq!(of("It fails.\nHost: till-1").as_deref(), Some("till-1"));
    }

    #[test]
    fn lines_of_names_and_values() {
        let read =
            message("Resolved in 5m 0s: load\nHost: db-1\nSeverity: High\nProblem name: load").unwrap();
        assert_eq!(
            (&read["state"], &read["Host"]),
            (&json!("resolved"), &json!("db-1"))
        );
        assert_eq!(
            message("Dear all,\nplease note: the till is closed.\nYours,\nAnn"),
            None
        );
    }
}
