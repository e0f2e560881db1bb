//! Reading a JSON payload field by field, so that what no field took is left for the labels: nothing is lost.

use std::cell::RefCell;

use model::{Text, Time};
use serde_json::{Map, Value};

use crate::{draft::Draft, when};

/// Values nested deeper than this become one label holding their JSON text.
const FLATTEN_DEPTH_MAX: usize = 6;
/// Bytes of a name to which others are added; labels keep fewer.
const NAME_BYTES_MAX: usize = 512;

/// A payload and which of its values have been taken.
pub(crate) struct Fields<'v> {
    root: &'v Value,
    taken: RefCell<Vec<*const Value>>,
    near: Option<Time>,
}

impl<'v> Fields<'v> {
    pub(crate) fn new(root: &'v Value, near: Option<Time>) -> Fields<'v> {
        Fields {
            root,
            taken: RefCell::new(Vec::new()),
            near,
        }
    }

    /// The value at a dotted path, left untaken. Where a key itself holds dots (`kibana.alert.uuid`), it is found too.
    pub(crate) fn peek(&self, path: &str) -> Option<&'v Value> {
        find(self.root, path)
    }

    /// The value at a path; it is taken as a whole.
    pub(crate) fn take(&self, path: &str) -> Option<&'v Value> {
        let value = self.peek(path)?;
        self.mark(value);
        Some(value)
    }

    /// Marks a value as taken.
    pub(crate) fn mark(&self, value: &'v Value) {
        self.taken.borrow_mut().push(std::ptr::from_ref(value));
    }

    /// The scalar at a path as text, taken; empty text and null are absent.
    pub(crate) fn text(&self, path: &str) -> Option<Text> {
        let value = self.peek(path)?;
        let text = scalar(value)?;
        self.mark(value);
        Some(text)
    }

    /// The first of several paths that holds a scalar; only that one is taken.
    pub(crate) fn first(&self, paths: &[&str]) -> Option<Text> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// The text at a path, left untaken.
    pub(crate) fn glance(&self, path: &str) -> Option<Text> {
        self.peek(path).and_then(scalar)
    }

    /// The time at the first path that holds one, taken. Any known form is read.
    pub(crate) fn time(&self, paths: &[&str]) -> Option<Time> {
        paths.iter().find_map(|path| {
            let value = self.peek(path)?;
            let time = when::value(value, self.near)?;
            self.mark(value);
            Some(time)
        })
    }

    /// The elements of the array at a path, left untaken.
    pub(crate) fn list(&self, path: &str) -> &'v [Value] {
        self.peek(path)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// Writes everything that was not taken into the labels, under its dotted path.
    pub(crate) fn rest_into(&self, draft: &mut Draft) {
        self.rest_of(self.root, "", draft);
    }

    /// Like `rest_into`, for one part of the payload under another name.
    pub(crate) fn rest_of(&self, value: &Value, name: &str, draft: &mut Draft) {
        let mut taken = self.taken.borrow_mut();
        taken.sort_unstable();
        flatten(value, name, draft, &taken, 0);
    }
}

/// The value at a dotted path below `value`.
pub(crate) fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => {
            if let Some(found) = map.get(path) {
                return Some(found);
            }
            path.match_indices('.').find_map(|(at, _)| {
                let inner = map.get(&path[..at])?;
                find(inner, &path[at + 1..])
            })
        }
        Value::Array(items) => {
            let (index, rest) = path.split_once('.').map_or((path, None), |(i, r)| (i, Some(r)));
            let item = items.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| find(item, rest))
        }
        _ => None,
    }
}

/// A scalar as text; empty text and null are absent.
pub(crate) fn scalar(value: &Value) -> Option<Text> {
    match value {
        Value::String(s) => {
            let s = s.trim();
            if s.is_empty() { None } else { Some(s.into()) }
        }
        Value::Number(n) => Some(compact_str::format_compact!("{n}")),
        Value::Bool(b) => Some(Text::const_new(if *b { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text at a path below `value`.
pub(crate) fn text_at(value: &Value, path: &str) -> Option<Text> {
    find(value, path).and_then(scalar)
}

/// Whether a value is an object that has all of these keys.
pub(crate) fn has(value: &Value, keys: &[&str]) -> bool {
    value
        .as_object()
        .is_some_and(|map| keys.iter().all(|key| map.contains_key(*key)))
}

/// What a list holds, or the one thing that is none.
pub(crate) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// Whether a value is one of these, or a list of nothing else.
pub(crate) fn all_are(value: &Value, is_one: impl FnMut(&Value) -> bool) -> bool {
    !each(value).is_empty() && each(value).iter().all(is_one)
}

/// A name without case and separators.
pub(crate) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric() || *c == '@');
    letters.flat_map(char::to_lowercase).collect()
}

/// An object with other keys; of two keys that become one, the first that says something stays.
pub(crate) fn rekeyed(value: &Value, key: impl Fn(&str) -> String) -> Value {
    let Value::Object(map) = value else {
        return value.clone();
    };
    let mut out = Map::new();
    for (name, inner) in map {
        let slot = out.entry(key(name)).or_insert(Value::Null);
        if slot.is_null() || slot.as_str() == Some("") {
            *slot = inner.clone();
        }
    }
    Value::Object(out)
}

/// The names of an object in another spelling, for telling what it is without a copy of what it holds.
pub(crate) struct Names(Vec<String>);

impl Names {
    pub(crate) fn of(value: &Value, spelling: impl Fn(&str) -> String) -> Names {
        let fields = value.as_object().into_iter().flatten();
        Names(fields.map(|(name, _)| spelling(name)).collect())
    }

    /// Whether any of the names is there.
    pub(crate) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.iter().any(|own| own == name))
    }

    /// Whether all of the names are there.
    pub(crate) fn all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.0.iter().any(|own| own == name))
    }
}

/// An object with its keys in lower case.
pub(crate) fn lowered(value: &Value) -> Value {
    rekeyed(value, str::to_lowercase)
}

/// The parts that say something, with `/` between.
pub(crate) fn join(parts: &[&str]) -> Text {
    let mut out = Text::default();
    for part in parts.iter().filter(|p| !p.is_empty()) {
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(part);
    }
    out
}

/// The texts that say something new, each on its line.
pub(crate) fn lines<const N: usize>(parts: [Option<Text>; N]) -> Text {
    let mut out = Text::default();
    for part in parts.into_iter().flatten() {
        if out.contains(part.as_str()) {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&part);
    }
    out
}

/// Writes the scalars below a value into the labels, under dotted names.
pub(crate) fn labels_from(value: &Value, name: &str, draft: &mut Draft) {
    flatten(value, name, draft, &[], 0);
}

fn flatten(value: &Value, name: &str, draft: &mut Draft, taken: &[*const Value], depth: usize) {
    let is_taken = |value: &Value| taken.binary_search(&std::ptr::from_ref(value)).is_ok();
    if is_taken(value) {
        return;
    }
    // A name is copied for each value below it.
    let name = crate::bounds::prefix(name, NAME_BYTES_MAX);
    match value {
        Value::Object(map) if depth < FLATTEN_DEPTH_MAX => {
            for (key, inner) in map {
                if name.is_empty() {
                    flatten(inner, key, draft, taken, depth + 1);
                } else {
                    flatten(inner, &format!("{name}.{key}"), draft, taken, depth + 1);
                }
            }
        }
        Value::Array(items) if depth < FLATTEN_DEPTH_MAX => {
            if items.iter().all(|i| !i.is_array() && !i.is_object()) {
                let words: Vec<Text> = items.iter().filter(|i| !is_taken(i)).filter_map(scalar).collect();
                draft.label(name, words.join(","));
            } else {
                for (i, inner) in items.iter().enumerate() {
                    flatten(inner, &format!("{name}.{i}"), draft, taken, depth + 1);
                }
            }
        }
        Value::Object(map) if map.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(_) | Value::Array(_) => draft.label(name, value.to_string()),
        scalar_value => {
            if let Some(text) = scalar(scalar_value) {
                let text = if is_secret(name) {
                    Text::const_new("(secret)")
                } else {
                    text
                };
                draft.label(name, text);
            }
        }
    }
}

/// Whether a field is by its name a credential of the sender, which goes into no record.
fn is_secret(name: &str) -> bool {
    const SECRETS: [&str; 16] = [
        "secret", "sharedsecret", "clientsecret", "apikey", "appkey", "apitoken", "token", "authtoken",
        "accesstoken", "bearertoken", "password", "passwd", "authorization", "routingkey", "integrationkey",
        "servicekey",
    ];
    let last = name.rsplit('.').next().unwrap_or(name);
    // Names are short and few are of such a length; most are told apart without a copy.
    (5..=20).contains(&last.len()) && SECRETS.contains(&plain(last).replace('@', "").as_str())
}

/// Splits `key:value` or `key=value`; a bare word is its own name with the value `true`.
pub(crate) fn tag(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.find([':', '=']) {
        Some(at) if at > 0 => (text[..at].trim(), text[at + 1..].trim()),
        _ => (text, "true"),
    }
}

/// Reads tags in any of the forms in use: an object, an array of `key:value` or of `{key, value}`, or one text with
/// commas between.
pub(crate) fn tags(value: &Value, draft: &mut Draft) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                // `{"severity": {"value": "high", "color": "#f00"}}`
                match text_at(value, "value") {
                    Some(text) => draft.label(name, text),
                    None => labels_from(value, name, draft),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(text) => {
                        let (name, value) = tag(text);
                        draft.label(name, value);
                    }
                    Value::Object(_) => {
                        let name = ["key", "tag", "name", "Key", "Name"]
                            .iter()
                            .find_map(|k| text_at(item, k));
                        let value = ["value", "Value"].iter().find_map(|k| text_at(item, k));
                        if let Some(name) = name {
                            draft.label(&name, value.unwrap_or(Text::const_new("true")));
                        }
                    }
                    // Sentry: `["key", "value"]`.
                    Value::Array(pair) => {
                        if let [name, value] = &pair[..]
                            && let (Some(name), Some(value)) = (scalar(name), scalar(value))
                        {
                            draft.label(&name, value);
                        }
                    }
                    _ => {}
                }
            }
        }
        Value::String(text) => {
            for part in text.split(',').filter(|p| !p.trim().is_empty()) {
                let (name, value) = tag(part);
                draft.label(name, value);
            }
        }
        _ => {}
    }
}
