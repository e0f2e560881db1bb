//! Finding fields by the names that senders commonly choose: at the top, in the usual wrappers, and in lists of pairs.

use model::Text;
use serde_json::Value;

use crate::fields::{Fields, scalar, text_at};

/// Objects in which senders put the alert. Compared without case and separators.
const WRAPPERS: [&str; 26] = [
    "alert",
    "event",
    "incident",
    "data",
    "payload",
    "problem",
    "issue",
    "notification",
    "alarm",
    "body",
    "attributes",
    "objectattributes",
    "details",
    "detail",
    "monitor",
    "check",
    "object",
    "record",
    "item",
    "error",
    "content",
    "extra",
    "context",
    "webhookeventdata",
    "snitch",
    "subject",
];
/// Lists of `{name, value}`, as chat cards and custom fields are written.
const PAIRS: [&str; 6] = [
    "fields",
    "facts",
    "customfields",
    "parameters",
    "properties",
    "extrafields",
];
/// What a name may be prefixed with and still mean the same.
const PREFIXES: [&str; 10] = [
    "alert",
    "event",
    "incident",
    "alarm",
    "problem",
    "issue",
    "monitor",
    "check",
    "notification",
    "trigger",
];
/// The name of a thing that is written as an object.
const NAMES: [&str; 8] = [
    "name",
    "displayName",
    "display_name",
    "hostname",
    "label",
    "summary",
    "id",
    "metadata.name",
];
/// Lists of which the first speaks for all: the cards of chat tools.
const CARDS: [&str; 3] = ["attachments", "embeds", "sections"];
/// Wrappers within wrappers, and all of them together, at most.
const DEPTH_MAX: usize = 3;
const LEVELS_MAX: usize = 24;

/// The places in which fields are looked for; what stands further out is believed first.
pub(super) struct Guess<'v> {
    levels: Vec<Vec<(String, &'v Value)>>,
}

impl<'v> Guess<'v> {
    pub(super) fn new(value: &'v Value) -> Guess<'v> {
        let mut levels = vec![level(value)];
        // `{"event_type": "incident_created", "incident_created": {…}}`
        let named = ["event_type", "type", "event"]
            .iter()
            .find_map(|n| value.get(text_at(value, n)?.as_str()));
        levels.extend(named.filter(|v| v.is_object()).map(level));
        let (mut from, mut pairs) = (0, Vec::new());
        for _ in 0..DEPTH_MAX {
            let to = levels.len();
            for at in from..to {
                for name in WRAPPERS {
                    let inner = levels[at].iter().filter(|(k, v)| k == name && v.is_object());
                    let inner: Vec<_> = inner.map(|(_, v)| level(v)).collect();
                    levels.extend(inner);
                }
                let mut cards = Vec::new();
                for (name, list) in &levels[at] {
                    if PAIRS.contains(&name.as_str()) {
                        pairs.extend(pairs_of(list));
                    } else if CARDS.contains(&name.as_str()) {
                        cards.extend(list.get(0).map(level));
                    }
                }
                levels.extend(cards);
            }
            from = to;
            if levels.len() > LEVELS_MAX {
                levels.truncate(LEVELS_MAX);
                break;
            }
        }
        levels.push(pairs);
        Guess { levels }
    }

    /// The first name, in their order, whose value fits; a name without a prefix is believed before one with it.
    pub(super) fn find(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        self.levels.iter().find_map(|level| {
            let of = |same: &dyn Fn(&str, &str) -> bool| {
                names.iter().find_map(|name| {
                    level
                        .iter()
                        .find(|(k, v)| same(k, name) && fits(v))
                        .map(|(_, v)| *v)
                })
            };
            of(&|key, name| key == name).or_else(|| {
                of(&|key, name| {
                    PREFIXES
                        .iter()
                        .any(|p| key.strip_prefix(p).is_some_and(|rest| rest == name))
                })
            })
        })
    }

    /// The scalar under the first of the names, as text and taken.
    pub(super) fn text(&self, f: &Fields<'_>, names: &[&str], fits: impl Fn(&str) -> bool) -> Option<Text> {
        let value = self.find(names, |v| {
            !v.is_boolean() && scalar(v).is_some_and(|text| fits(&text))
        })?;
        f.mark(value);
        scalar(value)
    }

    /// The name of a thing: a scalar, or an object that has a name.
    pub(super) fn name(&self, f: &Fields<'_>, names: &[&str]) -> Option<Text> {
        let value = self.find(names, |v| !v.is_boolean() && name_of(v).is_some())?;
        if !value.is_object() {
            f.mark(value);
        }
        name_of(value)
    }

    /// The scalar under the first of the names, left untaken.
    pub(super) fn glance(&self, names: &[&str]) -> Option<Text> {
        self.find(names, |v| scalar(v).is_some() && !v.is_boolean())
            .and_then(scalar)
    }

    /// The boolean under the first of the names.
    pub(super) fn flag(&self, names: &[&str]) -> Option<bool> {
        self.find(names, Value::is_boolean).and_then(Value::as_bool)
    }
}

fn level(value: &Value) -> Vec<(String, &Value)> {
    value
        .as_object()
        .map_or_else(Vec::new, |m| m.iter().map(|(k, v)| (plain(k), v)).collect())
}

/// The pairs of a list of `{name|title|key, value}`.
fn pairs_of(list: &Value) -> impl Iterator<Item = (String, &Value)> {
    list.as_array().into_iter().flatten().filter_map(|item| {
        let name = ["title", "name", "key", "label"]
            .iter()
            .find_map(|n| text_at(item, n))?;
        Some((plain(&name), item.get("value")?))
    })
}

/// A scalar, or the name of an object that has one.
pub(super) fn name_of(value: &Value) -> Option<Text> {
    match value {
        Value::Object(_) => NAMES.iter().find_map(|name| text_at(value, name)),
        other => scalar(other),
    }
}

/// A name without case and separators.
pub(super) fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric() || *c == '@')
        .flat_map(char::to_lowercase)
        .collect()
}
