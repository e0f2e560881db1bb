//! Finding fields by the names that senders commonly choose: at the top, in the usual wrappers, and in lists of pairs.

use model::Text;
use serde_json::Value;

use super::field_names::TIME_ENDS;
use crate::{
    fields::{Fields, plain, scalar, text_at},
    when,
};

/// Objects in which senders put the alert. Compared without case and separators.
const WRAPPERS: [&str; 48] = [
    "text", "values", "markdown", "build", "execution", "detections", "detection", "testrun", "run", "alert",
    "event", "incident", "data", "payload", "problem", "issue", "notification", "alarm", "body",
    "attributes", "objectattributes", "details", "detail", "monitor", "check", "object", "record", "item",
    "error", "content", "extra", "context", "webhookeventdata", "snitch", "subject", "finding", "fields",
    "deployment", "release", "metadata", "meta", "customdetails", "checkresult", "status", "properties",
    "downtime", "trigger", "templatevariable",
];
/// Lists of `{name, value}`, as chat cards and custom fields are written.
const PAIRS: [&str; 6] = [
    "fields", "facts", "customfields", "parameters", "properties", "extrafields",
];
/// What a name may be prefixed with and still mean the same.
const PREFIXES: [&str; 16] = [
    "affected", "impacted", "detect", "webhookevent", "detections", "detection", "alert", "event",
    "incident", "alarm", "problem", "issue", "monitor", "check", "notification", "trigger",
];
/// The name of a thing that is written as an object. Compared without case and separators.
const NAMES: [&str; 8] = [
    "name", "displayname", "hostname", "label", "key", "summary", "title", "id",
];
/// Objects that stand for the alert itself, whose plain `id` is its identity.
const NOUNS: [&str; 15] = [
    "alert", "incident", "problem", "issue", "alarm", "monitor", "check", "trigger", "finding", "rule",
    "snitch", "detection", "detections", "testrun", "run",
];
/// Lists of which the first speaks for all: the cards of chat tools.
const CARDS: [&str; 3] = ["attachments", "embeds", "sections"];
/// Lists of the blocks that a card is laid out in.
const BLOCKS: [&str; 2] = ["body", "blocks"];
/// Objects that say whose something is.
const OWNERS: [&str; 11] = [
    "account", "organization", "organisation", "org", "company", "tenant", "team", "owner", "user", "sender",
    "environment",
];
/// Lists of what an alert is about; where it is one thing alone, what stands there is said of the alert.
const ABOUT: [&str; 8] = [
    "resources", "affectedresources", "affectedentities", "impactedentities", "entities", "targets",
    "alarmmetadata", "dimensions",
];
/// Wrappers within wrappers, and all of them together, at most.
const DEPTH_MAX: usize = 3;
const LEVELS_MAX: usize = 24;
/// Fields of one object that are looked at, and bytes of their names.
const FIELDS_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 128;

/// The places in which fields are looked for; what stands further out is believed first.
pub(super) struct Guess<'v> {
    levels: Vec<Level<'v>>,
    /// All objects, for the few names that mean the same wherever they stand.
    all: Vec<Level<'v>>,
    wide: bool,
}

/// One object: what it is called, and its fields.
struct Level<'v> {
    name: String,
    fields: Vec<(String, &'v Value)>,
}

impl<'v> Level<'v> {
    fn find(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        self.find_as(names, fits, |key, name| key == name)
    }

    fn find_behind(
        &self,
        prefixes: &[&str],
        names: &[&str],
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'v Value> {
        self.find_as(names, fits, |key, name| {
            prefixes.iter().any(|p| key.strip_prefix(p) == Some(name))
        })
    }

    fn find_as(
        &self,
        names: &[&str],
        fits: impl Fn(&Value) -> bool,
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<&'v Value> {
        names.iter().find_map(|name| {
            let mut fields = self.fields.iter();
            fields
                .find(|(key, value)| same(key, name) && fits(value))
                .map(|(_, value)| *value)
        })
    }
}

impl<'v> Guess<'v> {
    pub(super) fn new(value: &'v Value) -> Guess<'v> {
        let mut levels = vec![level("", value)];
        // `{"event_type": "incident_created", "incident_created": {…}}`
        let named = ["event_type", "type", "event"].iter().find_map(|n| {
            let name = text_at(value, n)?;
            let inner = value.get(name.as_str()).filter(|v| v.is_object())?;
            Some(level(&plain(&name), inner))
        });
        levels.extend(named);
        let (mut from, mut pairs) = (0, Vec::new());
        for _ in 0..DEPTH_MAX {
            let to = levels.len();
            for at in from..to {
                for name in WRAPPERS {
                    let inner = levels[at]
                        .fields
                        .iter()
                        .filter(|(k, v)| v.is_object() && wraps(k, name));
                    let inner: Vec<_> = inner.map(|(_, v)| level(name, v)).collect();
                    levels.extend(inner);
                }
                let mut cards = Vec::new();
                for (name, list) in &levels[at].fields {
                    if PAIRS.contains(&name.as_str()) {
                        pairs.extend(pairs_of(list));
                    } else if CARDS.contains(&name.as_str()) {
                        cards.extend(list.get(0).map(|card| level(name, card)));
                    } else if ABOUT.contains(&name.as_str()) {
                        let only = list.as_array().filter(|list| list.len() == 1);
                        let only = only.and_then(|list| list.first()).filter(|v| v.is_object());
                        cards.extend(only.map(|thing| level(name, thing)));
                    } else if BLOCKS.contains(&name.as_str()) {
                        blocks(list, &mut pairs);
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
        pairs.truncate(FIELDS_MAX);
        levels.push(Level {
            name: String::new(),
            fields: pairs,
        });
        let all = everything(value);
        Guess {
            levels,
            all,
            wide: false,
        }
    }

    /// Looks into every object, for shapes whose wrappers are called as nobody else calls them.
    pub(super) fn wide(value: &'v Value) -> Guess<'v> {
        let mut levels = everything(value);
        // Whose it is comes after what it is.
        levels.sort_by_key(|level| OWNERS.contains(&level.name.as_str()));
        Guess {
            levels,
            all: Vec::new(),
            wide: true,
        }
    }

    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }

    /// The first value under a name that ends so and does not begin so.
    pub(super) fn ends_in(
        &self,
        ends: &[&str],
        not_before: &[&str],
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'v Value> {
        let is_named = |name: &str| {
            ends.iter().any(|end| name.ends_with(end)) && !not_before.iter().any(|b| name.starts_with(b))
        };
        self.levels.iter().find_map(|level| {
            let mut fields = level.fields.iter();
            fields
                .find(|(name, value)| is_named(name) && fits(value))
                .map(|(_, value)| *value)
        })
    }

    /// Like `find` for plain names, in every object.
    pub(super) fn deep(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        names.iter().find_map(|name| {
            self.all
                .iter()
                .find_map(|level| {
                    level
                        .fields
                        .iter()
                        .find(|(key, value)| key == name && fits(value))
                })
                .map(|(_, value)| *value)
        })
    }

    /// The scalar under the first of the names among the facts of a card, which say more than its headline.
    pub(super) fn of_card(
        &self,
        f: &Fields<'_>,
        names: &[&str],
        fits: impl Fn(&str) -> bool,
    ) -> Option<Text> {
        let facts = self.levels.last().filter(|_| !self.wide)?;
        taken(f, facts.find(names, is_text(fits)))
    }

    /// The entities that are named by the usual names in any spelling, or by an object with a kind and a name.
    pub(super) fn entities(&self, d: &mut crate::draft::Draft) {
        for (name, value) in self.levels.iter().flat_map(|level| &level.fields) {
            let kind = entity_kind(name);
            if let Some(kind) = kind.filter(|kind| d.entities.get(kind).is_none())
                && !value.is_boolean()
                && !value.is_number()
            {
                d.entity(kind, name_of(value));
            }
            let of_kind = ["kind", "type", "subjecttype", "resourcetype", "entitytype"];
            if value.is_object()
                && let Some(kind) = of_kind.iter().find_map(|name| {
                    let (_, kind) = value.as_object()?.iter().find(|(key, _)| plain(key) == *name)?;
                    let kind = entity_kind(&plain(kind.as_str()?))?;
                    (d.entities.get(kind).is_none()).then_some(kind)
                })
            {
                d.entity(kind, text_at(value, "name"));
            }
        }
    }

    /// The latest time under a name that ends as names of times do, of what has been and not of what is planned.
    pub(super) fn any_time(&self, near: Option<model::Time>) -> Option<model::Time> {
        const ENDS: [&str; 7] = ["at", "on", "time", "timestamp", "date", "utc", "when"];
        const PLANNED: [&str; 9] = [
            "next", "until", "expir", "schedul", "due", "valid", "window", "end", "interval",
        ];
        self.levels.iter().find_map(|level| {
            let times = level.fields.iter().filter(|(name, _)| {
                ENDS.iter().any(|end| name.ends_with(end)) && !PLANNED.iter().any(|p| name.contains(p))
            });
            times.filter_map(|(_, value)| when::value(value, near)).max()
        })
    }

    /// The first name, in their order, whose value fits; a name without a prefix is believed before one with it.
    pub(super) fn find(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        self.levels.iter().find_map(|level| {
            level
                .find(names, &fits)
                .or_else(|| level.find_behind(&PREFIXES, names, &fits))
        })
    }

    /// Like `find`, only of names that begin with one of these.
    pub(super) fn find_behind(
        &self,
        prefixes: &[&str],
        names: &[&str],
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'v Value> {
        let mut levels = self.levels.iter();
        levels.find_map(|level| level.find_behind(prefixes, names, &fits))
    }

    /// `{"device_type": "ap", "ap_name": "lobby"}`: the name of what it says it is of.
    pub(super) fn named_by_its_kind(&self) -> Option<Text> {
        self.levels.iter().find_map(|level| {
            let of_things = |name: &str| {
                let thing = name.strip_suffix("type").unwrap_or_default();
                ["device", "entity", "resource", "object", "asset"].contains(&thing)
            };
            let kinds = level.fields.iter().filter(|(name, _)| of_things(name));
            kinds.filter_map(|(_, kind)| kind.as_str()).find_map(|kind| {
                let name = plain(kind) + "name";
                level.find(&[&name], |v| scalar(v).is_some()).and_then(scalar)
            })
        })
    }

    /// The scalar under the first of the names, as text and taken.
    pub(super) fn text(&self, f: &Fields<'_>, names: &[&str], fits: impl Fn(&str) -> bool) -> Option<Text> {
        taken(f, self.find(names, is_text(fits)))
    }

    /// Like `text`, in what stands furthest out and in the objects that stand for the alert itself.
    pub(super) fn noun_text(
        &self,
        f: &Fields<'_>,
        names: &[&str],
        fits: impl Fn(&str) -> bool,
    ) -> Option<Text> {
        let mut levels = self.levels.iter().take(1).chain(self.called(&NOUNS));
        let fits = is_text(fits);
        taken(f, levels.find_map(|level| level.find(names, &fits)))
    }

    /// The objects that bear one of these names.
    fn called(&self, names: &[&str]) -> impl Iterator<Item = &Level<'v>> {
        self.levels
            .iter()
            .filter(|level| names.contains(&level.name.as_str()))
    }

    /// The name of the first object under one of these names.
    pub(super) fn name_of_object(&self, names: &[&str]) -> Option<Text> {
        self.find(names, |v| v.is_object() && name_of(v).is_some())
            .and_then(name_of)
    }

    /// The name of the one thing that an alert is about.
    pub(super) fn about(&self) -> Option<Text> {
        let mut things = self.called(&ABOUT).filter(|_| !self.wide);
        things.find_map(|thing| {
            let names = ["name", "displayname", "hostname", "id"];
            // What is known of an alarm has the alarm's identity.
            let names = &names[..names.len() - usize::from(thing.name == "alarmmetadata")];
            thing.find(names, |v| scalar(v).is_some()).and_then(scalar)
        })
    }

    /// The address that a check looks at; what stands furthest out leads to the sender's own pages as often.
    pub(super) fn watched(&self) -> Option<Text> {
        let address = is_text(crate::draft::is_web_address);
        let mut watching = self.called(&["check", "monitor"]);
        watching
            .find_map(|level| level.find(&["url"], &address))
            .and_then(scalar)
    }

    /// The name of a thing: a scalar, or an object that has a name.
    pub(super) fn name(&self, f: &Fields<'_>, names: &[&str]) -> Option<Text> {
        let value = self.find(names, |v| !v.is_boolean() && name_of(v).is_some())?;
        if !value.is_object() {
            f.mark(value);
        }
        name_of(value)
    }

    /// The identity under one of these plain names, left untaken. That of the alert is believed before that of the message
    /// around it, which is another one every time.
    pub(super) fn id(&self, names: &[&str]) -> Option<Text> {
        let is_noun = |level: &&Level<'_>| NOUNS.iter().any(|noun| level.name.starts_with(noun));
        let nouns = self.levels.iter().filter(is_noun);
        // An event beside its data is the message, which is another one every time; so is what has a type and data.
        let top = self.levels.first().map_or(&[][..], |level| &level.fields);
        let is_message = ["type", "eventtype", "event"]
            .iter()
            .any(|name| top.iter().any(|(key, value)| key == name && value.is_string()));
        let inner = self
            .levels
            .iter()
            .filter(|level| is_message && level.name == "data");
        // Nor is what an alert is about the alert.
        let around = |level: &&Level<'_>| {
            matches!(level.name.as_str(), "metadata" | "event") || ABOUT.contains(&level.name.as_str())
        };
        nouns
            .chain(inner)
            .chain(self.levels.iter().filter(|level| !around(level)))
            .chain(self.levels.iter().filter(|level| level.name == "event"))
            .find_map(|level| level.find(names, |v| identity(v).is_some()))
            .and_then(identity)
    }

    /// The identity of the object that stands for the alert, beside one of what watches.
    pub(super) fn own_id(&self, names: &[&str]) -> Option<Text> {
        const OWN: [&str; 6] = ["alert", "incident", "problem", "issue", "alarm", "finding"];
        let mut own = self.called(&OWN);
        own.find_map(|level| level.find(names, is_text(|_| true)))
            .and_then(scalar)
    }

    /// The identity of the object that stands for what ran, where it has this name.
    pub(super) fn id_of_what_ran(&self, name: &str) -> Option<Text> {
        let is_named = |v: &Value| v.get("id").is_some() && text_at(v, "name").as_deref() == Some(name);
        self.find(&["job", "task"], is_named).and_then(identity)
    }

    /// How many of these names stand for objects in what stands furthest out.
    pub(super) fn objects(&self, names: &[&str]) -> usize {
        let top = self.levels.first().map_or(&[][..], |level| &level.fields);
        let is_one = |(name, value): &&(String, &Value)| value.is_object() && names.contains(&name.as_str());
        top.iter().filter(is_one).count()
    }

    /// Whether one of these names says something in what stands furthest out.
    pub(super) fn says_outside(&self, names: &[&str]) -> bool {
        let mut top = self.levels.first().into_iter();
        top.any(|level| level.find(names, is_text(|text| !text.is_empty())).is_some())
    }

    /// The scalar under the first of the names, left untaken.
    pub(super) fn glance(&self, names: &[&str]) -> Option<Text> {
        self.find(names, is_text(|_| true)).and_then(scalar)
    }

    /// The value under the first of the names of times, whatever they end in.
    pub(super) fn time(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        let behind = |key: &str, name: &str| {
            PREFIXES
                .iter()
                .any(|p| key.strip_prefix(p).is_some_and(|rest| is_time(rest, name)))
        };
        let mut levels = self.levels.iter();
        levels.find_map(|level| {
            let found = level.find_as(names, &fits, is_time);
            found.or_else(|| level.find_as(names, &fits, behind))
        })
    }

    /// The yes or no under the first of the names, also as a word.
    pub(super) fn flag(&self, names: &[&str]) -> Option<bool> {
        let read = |v: &Value| match v {
            Value::Bool(b) => Some(*b),
            Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
            Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        // `is_ok: 0`; other numbers count.
        let asked = names.iter().filter(|name| name.starts_with("is")).copied();
        let bit = |v: &Value| v.as_u64().filter(|n| *n <= 1).map(|n| n == 1);
        self.find(names, |v| read(v).is_some())
            .and_then(read)
            .or_else(|| {
                self.find(&asked.collect::<Vec<_>>(), |v| bit(v).is_some())
                    .and_then(bit)
            })
    }
}

/// Whether an object is called by the name of a wrapper, alone or as what is known of it: `event_info`, `alertData`.
fn wraps(key: &str, name: &str) -> bool {
    const OF_IT: [&str; 6] = ["", "info", "data", "details", "object", "payload"];
    key.strip_prefix(name).is_some_and(|rest| OF_IT.contains(&rest))
}

/// An identity: a text or a number, or an object that says of what kind it is, `{"entityType": "ALARM", "id": "7"}`.
fn identity(value: &Value) -> Option<Text> {
    match value {
        Value::Bool(_) => None,
        Value::Object(map) => map.get("id").filter(|id| !id.is_object()).and_then(identity),
        other => scalar(other),
    }
}

/// Whether a value is text or a number that fits; a mere yes or no is neither.
fn is_text(fits: impl Fn(&str) -> bool) -> impl Fn(&Value) -> bool {
    move |value| !value.is_boolean() && scalar(value).is_some_and(|text| fits(&text))
}

/// The text of a value, which is taken.
fn taken<'v>(f: &Fields<'v>, value: Option<&'v Value>) -> Option<Text> {
    f.mark(value?);
    scalar(value?)
}

/// Whether a name is that of a time, but for what it ends in.
pub(super) fn is_time(key: &str, name: &str) -> bool {
    key.strip_prefix(name).is_some_and(|rest| {
        let mut rest = rest;
        // `timestamp_in_ms_utc`: what ends it, one after the other.
        while let Some(shorter) = TIME_ENDS.iter().find_map(|end| rest.strip_suffix(end)) {
            rest = shorter;
        }
        rest.is_empty()
    })
}

/// Every object, those further out first.
fn everything(value: &Value) -> Vec<Level<'_>> {
    let mut levels = vec![level("", value)];
    let mut from = 0;
    while from < levels.len() && levels.len() < LEVELS_MAX {
        let inner = levels[from].fields.iter().filter(|(_, v)| v.is_object());
        let inner: Vec<_> = inner.map(|(name, v)| level(name, v)).collect();
        levels.extend(inner);
        from += 1;
    }
    levels.truncate(LEVELS_MAX);
    levels
}

/// The kind of entity that a plain name stands for.
fn entity_kind(name: &str) -> Option<&'static str> {
    Some(match name.as_bytes() {
        b"region" | b"awsregion" | b"cloudregion" | b"regionname" | b"regionid" => "region",
        b"zone" | b"availabilityzone" => "zone",
        b"account" | b"accountid" | b"awsaccount" | b"awsaccountid" | b"accountname" => "account",
        b"cluster" | b"clustername" | b"kubernetescluster" | b"k8scluster" => "cluster",
        b"namespace" | b"kubernetesnamespace" | b"k8snamespace" => "namespace",
        b"pod" | b"podname" => "pod",
        b"node" | b"nodename" => "node",
        b"deployment" | b"deploymentname" => "deployment",
        b"container" | b"containername" => "container",
        b"database" | b"databasename" | b"dbname" => "database",
        b"queue" | b"queuename" => "queue",
        b"caller" | b"sourceservice" => "caller",
        b"callee" | b"destinationservice" | b"targetservice" => "callee",
        _ => return None,
    })
}

fn level<'v>(name: &str, value: &'v Value) -> Level<'v> {
    let fields = value.as_object().into_iter().flatten();
    // Every name is looked for in every field; names are short, and an alert has few.
    let named = fields.filter(|(k, _)| k.len() <= NAME_BYTES_MAX).take(FIELDS_MAX);
    Level {
        name: name.to_owned(),
        // The id of a document is none of what it tells of.
        fields: named
            .map(|(k, v)| (plain(if k == "_id" { "document" } else { k }), v))
            .collect(),
    }
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

/// What the blocks of a card say: the first text is its title, the second its text, facts are pairs.
fn blocks<'v>(list: &'v Value, pairs: &mut Vec<(String, &'v Value)>) {
    let mut names = ["title", "text"].into_iter();
    for block in list.as_array().into_iter().flatten() {
        let text = block.get("text").map(|text| text.get("text").unwrap_or(text));
        if let Some(text) = text.filter(|t| t.is_string())
            && let Some(name) = names.next()
        {
            pairs.push((name.to_owned(), text));
        }
        for list in ["facts", "fields"].iter().filter_map(|name| block.get(name)) {
            pairs.extend(pairs_of(list));
        }
    }
}

/// A scalar, or the name of an object that has one.
pub(super) fn name_of(value: &Value) -> Option<Text> {
    match value {
        Value::Object(map) => NAMES
            .iter()
            .find_map(|name| {
                let (_, value) = map.iter().find(|(key, _)| plain(key) == *name)?;
                scalar(value)
            })
            // Objects of Kubernetes and of JSON:API hold their name one level below.
            .or_else(|| {
                let inner = ["metadata", "data", "attributes"]
                    .iter()
                    .find_map(|name| map.get(*name));
                inner.filter(|inner| inner.is_object()).and_then(name_of)
            }),
        // The only one of a list.
        Value::Array(items) if items.len() == 1 && !items[0].is_array() => name_of(&items[0]),
        other => scalar(other),
    }
}
