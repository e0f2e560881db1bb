//! Own formats without code: which bodies are meant, and where the fields of an event stand in them, as expressions of
//! the configuration.
//!
//! Expressions are CEL (<https://github.com/google/cel-spec/blob/master/doc/langdef.md>), compiled once; why CEL stands
//! in `docs/decisions/mapping-language.md`. A field is an expression, or a template: text with `{{ expression }}` in it.
//! What an expression cannot find is absent; nothing of it can fail but a missing title, which is refused and says why.

mod expression;

use std::{collections::BTreeMap, sync::Arc};

use model::{EventKind, Text, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::expression::{Expression, Scope};
use crate::{
    draft::Draft,
    fields::labels_from,
    found::{OtherKind, Rejection, Stage},
    level,
    source::Sink,
    state, when,
};

/// A format of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Name of the source, as in `source` of the events; a topic, a header or the HTTP path may name it, too.
    pub source: String,
    /// Which bodies are meant: a condition over `body`. Absent: those whose topic, header or path names the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A list in the body; each of its elements is one event, called `item`. Absent: the body is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// One line; needed.
    pub title: String,
    /// The rest of what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `alert` (when absent), `change`, `maintenance`, `heartbeat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The sender's word for the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What the sender's words for a state mean, where they are not the usual ones: `firing`, `resolved`,
    /// `acknowledged`, `info`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, String>,
    /// The sender's word for the severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What the sender's words for a severity mean: `critical`, `error`, `warning`, `notice`, `info`, `unknown`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, String>,
    /// The identity of the alert, the same from firing to recovery. Absent: service, host, entities and title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
    /// When the state was observed, in any usual form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// When the condition began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The environment, for the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The tenant, for the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Address of a runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Address of the alert in its tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Other entities: kinds and their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub entities: BTreeMap<String, String>,
    /// Labels beside the fields of the body, which are all kept under their paths.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An expression that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", self.place())]
pub struct MappingError {
    /// Which mapping, from 0.
    pub mapping: usize,
    /// The field.
    pub field: String,
    /// The line within the field, from 1.
    pub line: usize,
    /// The column within that line, from 1.
    pub column: usize,
    /// In words.
    pub what: String,
    /// The field's text.
    pub text: String,
}

impl MappingError {
    /// Where in the field's text; a field that is missing has none.
    fn place(&self) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        format!(", line {} column {} of {:?}", self.line, self.column, self.text)
    }
}

/// Mappings, compiled. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Mappings {
    list: Arc<Vec<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    source: String,
    when: Option<Expression>,
    each: Option<Expression>,
    title: Expression,
    fields: BTreeMap<&'static str, Expression>,
    statuses: BTreeMap<String, String>,
    severities: BTreeMap<String, String>,
    entities: Vec<(String, Expression)>,
    labels: Vec<(String, Expression)>,
}

impl Mappings {
    /// Compiles every expression.
    pub fn compile(mappings: &[Mapping]) -> Result<Mappings, MappingError> {
        let list: Result<Vec<Compiled>, MappingError> = mappings
            .iter()
            .enumerate()
            .map(|(at, mapping)| Compiled::new(at, mapping))
            .collect();
        Ok(Mappings {
            list: Arc::new(list?),
        })
    }

    /// Whether a mapping may take a body that names this source, or none.
    pub(crate) fn may_take(&self, forced: Option<&str>) -> bool {
        self.list
            .iter()
            .any(|m| m.when.is_some() || forced.is_some_and(|name| m.source == name))
    }

    /// Decodes a body by the first mapping that means it; `false` when none does.
    pub(crate) fn decode(&self, body: &Value, forced: Option<&str>, sink: &mut Sink<'_>) -> bool {
        if !self.may_take(forced) {
            return false;
        }
        let scope = Scope::of(body);
        let means = |m: &&Compiled| match (forced, &m.when) {
            (Some(name), _) if m.source == name => true,
            (Some(_), _) => false,
            (None, when) => when.as_ref().is_some_and(|when| when.holds(&scope)),
        };
        match self.list.iter().find(means) {
            Some(mapping) => {
                mapping.decode(body, &scope, sink);
                true
            }
            None => false,
        }
    }
}

impl Compiled {
    fn new(at: usize, m: &Mapping) -> Result<Compiled, MappingError> {
        let item = m.each.is_some();
        let one = |field: &str, text: &str, item: bool| {
            Expression::compile(text, item).map_err(|mut error| {
                error.mapping = at;
                error.field = field.to_owned();
                error
            })
        };
        let wrong = |field: &str, what: String, text: &str| MappingError {
            mapping: at,
            field: field.to_owned(),
            line: 1,
            column: 1,
            what,
            text: text.to_owned(),
        };
        if m.source.is_empty() {
            return Err(wrong("source", "a mapping needs a name".to_owned(), ""));
        }
        if m.title.is_empty() {
            return Err(wrong("title", "a mapping needs a title".to_owned(), ""));
        }
        for (word, meaning) in &m.statuses {
            if !matches!(meaning.as_str(), "firing" | "resolved" | "acknowledged" | "info") {
                let what =
                    format!("`{meaning}` is no status; there are firing, resolved, acknowledged, info");
                return Err(wrong(&format!("statuses.{word}"), what, meaning));
            }
        }
        for (word, meaning) in &m.severities {
            if level::ours(meaning).is_none() {
                let what = format!(
                    "`{meaning}` is no severity; there are critical, error, warning, notice, info, unknown"
                );
                return Err(wrong(&format!("severities.{word}"), what, meaning));
            }
        }
        let mut fields = BTreeMap::new();
        for (name, text) in [
            ("text", &m.text),
            ("kind", &m.kind),
            ("status", &m.status),
            ("severity", &m.severity),
            ("dedup_key", &m.dedup_key),
            ("ts", &m.ts),
            ("starts_at", &m.starts_at),
            ("ends_at", &m.ends_at),
            ("service", &m.service),
            ("host", &m.host),
            ("environment", &m.environment),
            ("tenant", &m.tenant),
            ("runbook", &m.runbook),
            ("link", &m.link),
        ] {
            if let Some(text) = text {
                fields.insert(name, one(name, text, item)?);
            }
        }
        let named = |part: &str, map: &BTreeMap<String, String>| {
            map.iter()
                .map(|(name, text)| Ok((name.clone(), one(&format!("{part}.{name}"), text, item)?)))
                .collect::<Result<Vec<_>, MappingError>>()
        };
        Ok(Compiled {
            source: m.source.clone(),
            when: m.when.as_ref().map(|t| one("when", t, false)).transpose()?,
            each: m.each.as_ref().map(|t| one("each", t, false)).transpose()?,
            title: one("title", &m.title, item)?,
            fields,
            statuses: m.statuses.clone(),
            severities: m.severities.clone(),
            entities: named("entities", &m.entities)?,
            labels: named("labels", &m.labels)?,
        })
    }

    fn decode(&self, body: &Value, scope: &Scope, sink: &mut Sink<'_>) {
        let Some(each) = &self.each else {
            return self.one(body, scope, sink);
        };
        let items = each.list(scope);
        if items.is_empty() {
            return sink.reject(
                Rejection::new(Stage::Read, format!("{}: `each` gives no elements", self.source))
                    .path("each"),
            );
        }
        for item in items {
            let value = expression::json(&item);
            self.one(&value, &scope.with(item), sink);
        }
    }

    fn one(&self, value: &Value, scope: &Scope, sink: &mut Sink<'_>) {
        let mut d = Draft::new(&self.source);
        d.title = match self.title.text(scope) {
            Ok(title) if !title.is_empty() => title,
            Ok(_) => return sink.reject(self.untitled("says nothing")),
            Err(error) => return sink.reject(self.untitled(&error)),
        };
        let text = |name: &str| self.fields.get(name).and_then(|e| e.text(scope).ok());
        let text = |name: &str| text(name).filter(|t| !t.is_empty());
        let time =
            |name: &str| -> Option<Time> { text(name).and_then(|t| when::any(&t, sink.context.near())) };
        d.text = text("text").unwrap_or_default();
        (d.ts, d.starts_at, d.ends_at) = (time("ts"), time("starts_at"), time("ends_at"));
        (d.service, d.host) = (text("service"), text("host"));
        (d.environment, d.tenant) = (text("environment"), text("tenant"));
        d.runbook = text("runbook");
        d.link(text("link"), "source");
        if let Some(word) = text("status") {
            let meant = self
                .statuses
                .get(word.as_str())
                .map_or(word.as_str(), String::as_str);
            d.state(state::word(meant).or_else(|| state::within(meant)));
            d.label("state", word);
        }
        if let Some(word) = text("severity") {
            let meant = self.severities.get(word.as_str()).and_then(|m| level::ours(m));
            d.severity_as(Some(word), meant);
        }
        for (kind, name) in &self.entities {
            d.entity(kind, name.text(scope).ok());
        }
        d.key = text("dedup_key");
        // All fields of the body are labels, and vary as often as not.
        d.about = Some(model::Labels::new());
        let kind = text("kind").unwrap_or(Text::const_new("alert"));
        labels_from(value, "", &mut d);
        for (name, value) in &self.labels {
            if let Ok(value) = value.text(scope) {
                d.label(name, value);
            }
        }
        match kind.as_str() {
            "change" => sink.other(OtherKind::Change, d),
            "maintenance" => sink.other(OtherKind::Maintenance, d),
            "heartbeat" => {
                d.kind = EventKind::Heartbeat;
                sink.other(OtherKind::Heartbeat, d);
            }
            _ => sink.event(d),
        }
    }

    fn untitled(&self, why: &str) -> Rejection {
        let mut rejection =
            Rejection::new(Stage::Read, format!("the title of {:?} {why}", self.source)).path("title");
        rejection.source = Some(self.source.as_str().into());
        rejection
    }
}

#[cfg(test)]
mod tests;
