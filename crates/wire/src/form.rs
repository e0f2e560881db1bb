//! Form-encoded bodies (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>): how older tools post, either
//! field by field or with JSON in one field.

use serde_json::{Map, Value};

/// Fields of one form, at most.
const FIELDS_MAX: usize = 256;

/// Whether a text looks like a form: a name, `=`, and neither blanks nor line ends, which a form encodes.
pub(crate) fn may_be(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else {
        return false;
    };
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'%' | b'[' | b']'))
        && !text.contains(char::is_whitespace)
}

/// The fields as an object; a field that holds a JSON object holds it parsed, and is the whole when it is the only one.
pub(crate) fn value(text: &str) -> Option<Value> {
    let mut fields = Map::new();
    for pair in text.split('&').filter(|p| !p.is_empty()).take(FIELDS_MAX) {
        let (name, content) = pair.split_once('=').unwrap_or((pair, ""));
        let content = decoded(content)?;
        let nested = if content.starts_with('{') {
            serde_json::from_str::<Value>(&content).ok()
        } else {
            None
        };
        fields.insert(decoded(name)?, nested.unwrap_or(Value::String(content)));
    }
    if fields.len() == 1
        && let Some(only) = fields.values().next().filter(|v| v.is_object())
    {
        return Some(only.clone());
    }
    Some(Value::Object(fields)).filter(|v| v.as_object().is_some_and(|m| !m.is_empty()))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_and_json_in_a_field() {
        assert!(may_be("Name=Shop&Status=Down"));
        assert!(!may_be("snmp_trap,host=a value=1 2"));
        assert_eq!(
            value("Name=Web+Shop&URL=https%3A%2F%2Fshop.example.com&Status=Down"),
            Some(json!({"Name": "Web Shop", "URL": "https://shop.example.com", "Status": "Down"}))
        );
        assert_eq!(value("payload=%7B%22a%22%3A1%7D"), Some(json!({"a": 1})));
        assert_eq!(value("a=%zz"), None);
        assert_eq!(value("a=%f"), None);
    }
}
