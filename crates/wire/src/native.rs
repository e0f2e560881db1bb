//! The native event (`stormfold.event/1`), read in one pass and leniently: labels that are no text, missing ids and
//! keys, words for status and severity from other tools. Unknown fields become labels; names that begin with an
//! underscore are a sender's private notes and are not read.

use std::fmt;

use model::{EventKind, Text};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    draft::Draft,
    fields::{labels_from, scalar, tags, text_at},
    lax::Lax,
    level, state, when,
};

/// Field names with which a native event may begin; another first name sends a body straight to the other sources.
const FIRST: [&str; 12] = [
    "schema", "event_id", "origin", "kind", "source", "dedup_key", "status", "severity", "title", "ts",
    "service", "received_at",
];

/// Whether a JSON text may be a native event, by its first field name.
pub(crate) fn may_be(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('{') else {
        return false;
    };
    let Some(rest) = rest.trim_start().strip_prefix('"') else {
        return false;
    };
    rest.split('"').next().is_some_and(|name| FIRST.contains(&name))
}

/// What an object read as a native event says, and whether it is one.
#[derive(Default)]
pub(crate) struct Native {
    pub(crate) draft: Draft,
    has_schema: bool,
    has_state: bool,
    has_identity: bool,
    /// Of a kind that people send: a silence, a window, an acknowledgement, feedback.
    is_command: bool,
    foreign: bool,
}

impl Native {
    /// Whether the object is a native event rather than something that shares a few names with it.
    pub(crate) fn is_one(&self) -> bool {
        let titled = !self.draft.title.is_empty();
        // A recovery may name no more than its alert.
        let keyed = self.draft.key.is_some() && !self.draft.source.is_empty();
        let event = (titled || keyed) && self.has_state && self.has_identity;
        // Typed by hand it has neither schema nor time.
        !self.foreign && (self.has_schema || event || self.is_command && self.asks())
    }

    /// Whether the labels say what such a kind asks for. A sensor's silence or what somebody else acknowledges does not, and
    /// nobody silences with a severity.
    fn asks(&self) -> bool {
        let any: &[&str] = match self.draft.kind {
            EventKind::Silence | EventKind::Maintenance => {
                &["matchers", "scope", "silence_id", "maintenance_id"]
            }
            EventKind::Ack => &["incident_id", "incident_key"],
            EventKind::Feedback => &[
                "incident_id", "incident_key", "cause", "bond_id", "with", "alerts",
            ],
            _ => &[],
        };
        let has = |name: &&str| self.draft.labels.get(name).is_some();
        let is_bad = self.draft.severity.is_some() || self.draft.severity_original.is_some();
        !is_bad && any.iter().any(has)
    }
}

impl<'de> Deserialize<'de> for Native {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Native, D::Error> {
        d.deserialize_map(NativeVisitor)
    }
}

struct NativeVisitor;

impl<'de> Visitor<'de> for NativeVisitor {
    type Value = Native;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Native, A::Error> {
        let mut native = Native::default();
        while let Some(field) = map.next_key::<Field>()? {
            native.field(field, &mut map)?;
        }
        Ok(native)
    }
}

impl Native {
    fn field<'de, A: MapAccess<'de>>(&mut self, field: Field, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match field {
            Field::Private => {
                map.next_value::<IgnoredAny>()?;
            }
            Field::Origin => {
                // Where a record came from is known here and not taken from the sender.
                map.next_value::<IgnoredAny>()?;
            }
            Field::Labels => {
                map.next_value_seed(Pairs {
                    draft,
                    entities: false,
                })?;
            }
            Field::Entities => {
                map.next_value_seed(Pairs {
                    draft,
                    entities: true,
                })?;
            }
            Field::Links => {
                if let Lax::Nested(value) = map.next_value()? {
                    for link in value.as_array().map_or(&[][..], Vec::as_slice) {
                        let href = scalar(link)
                            .or_else(|| text_at(link, "href"))
                            .or_else(|| text_at(link, "url"));
                        draft.link(href, text_at(link, "text").as_deref().unwrap_or_default());
                    }
                }
            }
            Field::Known(name) => match map.next_value::<Lax>()? {
                Lax::Nothing => {}
                Lax::Scalar(text) => self.scalar(name, text),
                Lax::Nested(value) => {
                    self.foreign |= matches!(name, Name::Title | Name::Source | Name::Severity);
                    labels_from(&value, name.as_str(), &mut self.draft);
                }
            },
            Field::Other(name) => match map.next_value::<Lax>()? {
                Lax::Nothing => {}
                Lax::Scalar(text) => draft.label(&name, text),
                Lax::Nested(value) => labels_from(&value, &name, draft),
            },
        }
        Ok(())
    }

    fn scalar(&mut self, name: Name, text: Text) {
        let draft = &mut self.draft;
        match name {
            Name::Schema => {
                self.has_schema = text.starts_with("stormfold.event/");
                self.foreign |= !self.has_schema;
            }
            Name::EventId => {
                draft.event_id = Some(text);
                self.has_identity = true;
            }
            Name::Kind => match kind(&text) {
                Some(kind) => {
                    draft.kind = kind;
                    self.has_state = true;
                    self.is_command = matches!(
                        kind,
                        EventKind::Silence | EventKind::Maintenance | EventKind::Ack | EventKind::Feedback
                    );
                }
                // What a person did, said as the kind of the event: acknowledgements carry it as their action.
                None if is_deed(&text) => {
                    draft.kind = EventKind::Ack;
                    self.has_state = true;
                    draft.label("action", text);
                }
                None => self.foreign = true,
            },
            Name::Source => draft.source = text,
            Name::DedupKey => {
                draft.key = Some(text);
                draft.key_is_whole = true;
                self.has_identity = true;
            }
            Name::Status => {
                self.has_state = true;
                match state::word(&text) {
                    None => draft.label("status", text),
                    known => {
                        let kind = draft.kind;
                        draft.state(known);
                        // A field `kind` outranks the word.
                        if kind != EventKind::Alert {
                            draft.kind = kind;
                        }
                    }
                }
            }
            Name::Severity => {
                self.has_state = true;
                let ours = level::ours(&text);
                draft.severity = ours.or_else(|| level::word(&text));
                if ours.is_none() && draft.severity_original.is_none() {
                    draft.severity_original = Some(text);
                }
            }
            Name::SeverityOriginal => draft.severity_original = Some(text),
            Name::Title => draft.title = text,
            Name::Text => draft.text = text,
            Name::Ts => {
                self.has_identity = true;
                draft.ts = time(draft, "ts", text);
            }
            Name::StartsAt => draft.starts_at = time(draft, "starts_at", text),
            Name::EndsAt if when::is_forever(&text) => draft.ends_at = Some(when::FOREVER),
            Name::EndsAt => draft.ends_at = time(draft, "ends_at", text),
            Name::ReceivedAt => draft.received_at = time(draft, "received_at", text),
            Name::Service => draft.service = Some(text),
            Name::Host => draft.host = Some(text),
            Name::Environment => draft.environment = Some(text),
            Name::Tenant => draft.tenant = Some(text),
            Name::Runbook => draft.runbook = Some(text),
            Name::Skewed => draft.skewed = text == "true",
        }
    }
}

/// A time; one that cannot be is kept as a label and the event is flagged.
fn time(draft: &mut Draft, name: &str, text: Text) -> Option<model::Time> {
    let time = when::any(&text, None);
    if time.is_none() && !when::is_never(&text) {
        draft.skewed = true;
        draft.label(name, text);
    }
    time
}

fn is_deed(word: &str) -> bool {
    matches!(word, "acknowledge" | "unacknowledge" | "snooze" | "resolve")
}

fn kind(word: &str) -> Option<EventKind> {
    Some(match word {
        "alert" => EventKind::Alert,
        "change" => EventKind::Change,
        "topology" => EventKind::Topology,
        "ack" => EventKind::Ack,
        "feedback" => EventKind::Feedback,
        "silence" => EventKind::Silence,
        "maintenance" => EventKind::Maintenance,
        "heartbeat" => EventKind::Heartbeat,
        _ => return None,
    })
}

/// A field of the event.
enum Field {
    Known(Name),
    Labels,
    Entities,
    Links,
    Origin,
    Private,
    Other(Text),
}

macro_rules! names {
    ($($variant:ident = $text:literal,)*) => {
        /// A field that holds a scalar.
        #[derive(Clone, Copy)]
        enum Name { $($variant,)* }
        impl Name {
            fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $text,)* }
            }
            fn of(text: &str) -> Option<Name> {
                match text { $($text => Some(Name::$variant),)* _ => None }
            }
        }
    };
}
names! {
    Schema = "schema",
    EventId = "event_id",
    Kind = "kind",
    Source = "source",
    DedupKey = "dedup_key",
    Status = "status",
    Severity = "severity",
    SeverityOriginal = "severity_original",
    Title = "title",
    Text = "text",
    Ts = "ts",
    StartsAt = "starts_at",
    EndsAt = "ends_at",
    ReceivedAt = "received_at",
    Service = "service",
    Host = "host",
    Environment = "environment",
    Tenant = "tenant",
    Runbook = "runbook",
    Skewed = "skewed",
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Field, D::Error> {
        struct FieldVisitor;
        impl Visitor<'_> for FieldVisitor {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Field, E> {
                Ok(match text {
                    "labels" => Field::Labels,
                    "entities" => Field::Entities,
                    "links" => Field::Links,
                    "origin" => Field::Origin,
                    _ => match Name::of(text) {
                        Some(name) => Field::Known(name),
                        None if text.starts_with('_') => Field::Private,
                        None => Field::Other(text.into()),
                    },
                })
            }
        }
        d.deserialize_str(FieldVisitor)
    }
}

/// Reads an object of labels or entities straight into the draft.
struct Pairs<'d> {
    draft: &'d mut Draft,
    entities: bool,
}

impl<'de> de::DeserializeSeed<'de> for Pairs<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text>()? {
            match map.next_value::<Lax>()? {
                Lax::Nothing => {}
                Lax::Scalar(value) if self.entities => self.draft.entity(&name, Some(value)),
                Lax::Scalar(value) => self.draft.label(&name, value),
                Lax::Nested(value) => labels_from(&value, &name, self.draft),
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        tags(&serde_json::Value::Array(items), self.draft);
        Ok(())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        tags(&text.into(), self.draft);
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}
