//! An event in the making. A source fills in what it finds; `finish` holds the rules that are the same for all.

use std::cell::RefCell;

use model::{Event, EventKind, Keys, Labels, Link, Origin, Severity, Status, Text, Time};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{level, names, tables::Tables};

/// Bounds on what one event may carry. What is beyond them is counted in the label `stormfold.cut`.
pub(crate) const TITLE_BYTES_MAX: usize = 1_024;
pub(crate) const TEXT_BYTES_MAX: usize = 16_384;
pub(crate) const NAME_BYTES_MAX: usize = 512;
const ENTITIES_MAX: usize = 64;
const LABELS_MAX: usize = 256;
const LABEL_NAME_BYTES_MAX: usize = 256;
const LABEL_VALUE_BYTES_MAX: usize = 4_096;
const LINKS_MAX: usize = 32;
const LINK_BYTES_MAX: usize = 2_048;

/// An event in the making; `None` and empty mean that the sender does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) event_id: Option<Text>,
    pub(crate) kind: EventKind,
    pub(crate) source: Text,
    /// The sender's identity of the alert. Unless `key_is_whole`, the source's name is put before it, so that two
    /// tools that count from 1 do not meet.
    pub(crate) key: Option<Text>,
    pub(crate) key_is_whole: bool,
    /// Without a key: the labels that tell what the alert is about, where not all of its labels do.
    pub(crate) about: Option<Labels>,
    pub(crate) status: Option<Status>,
    pub(crate) severity: Option<Severity>,
    pub(crate) severity_original: Option<Text>,
    pub(crate) title: Text,
    pub(crate) text: Text,
    pub(crate) ts: Option<Time>,
    pub(crate) starts_at: Option<Time>,
    pub(crate) ends_at: Option<Time>,
    pub(crate) received_at: Option<Time>,
    pub(crate) service: Option<Text>,
    pub(crate) host: Option<Text>,
    pub(crate) entities: Labels,
    pub(crate) environment: Option<Text>,
    pub(crate) tenant: Option<Text>,
    pub(crate) labels: Labels,
    pub(crate) links: Vec<Link>,
    pub(crate) runbook: Option<Text>,
    pub(crate) skewed: bool,
    /// The labels are a scrape's: `job` and `instance` name the target.
    pub(crate) scraped: bool,
    /// Host and service that tell where it is but not which alert it is: the derived key does not have them.
    pub(crate) beside_key: (Option<Text>, Option<Text>),
    pub(crate) cut: usize,
}

/// What is known about a body beside its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) received_at: Option<Time>,
    /// The time of an event that names none and was received at no known time.
    pub(crate) undated: Time,
    /// Whose the body is, when the transport says.
    pub(crate) tenant: Option<&'a str>,
    pub(crate) tenant_label: Option<&'a str>,
    pub(crate) environment_label: Option<&'a str>,
    pub(crate) tables: &'a Tables,
    pub(crate) keys: &'a RefCell<Keys>,
}

impl Context<'_> {
    /// A time close to the sender's, for forms without a year.
    pub(crate) fn near(&self) -> Option<Time> {
        Some(self.received_at.unwrap_or(self.undated)).filter(|t| t.nanos() > 0)
    }
}

impl Draft {
    pub(crate) fn new(source: &str) -> Draft {
        Draft {
            source: source.into(),
            ..Draft::default()
        }
    }

    /// Takes the sender's word for the severity, with its usual meaning.
    pub(crate) fn severity_word(&mut self, word: Option<Text>) {
        if let Some(word) = word {
            self.severity = level::word(&word);
            self.severity_original = Some(word);
        }
    }

    /// Takes the sender's word for the severity, with the meaning that its source gives it.
    pub(crate) fn severity_as(&mut self, word: Option<Text>, meaning: Option<Severity>) {
        if let Some(word) = word {
            self.severity = meaning.or_else(|| level::word(&word));
            self.severity_original = Some(word);
        }
    }

    /// For forms that know no levels: what fires there wakes somebody, so taking it for less would silence it.
    pub(crate) fn only_level(&mut self) {
        if self.severity_original.is_none() && self.status == Some(Status::Firing) {
            self.severity = Some(Severity::Critical);
        }
    }

    pub(crate) fn label(&mut self, name: &str, value: impl Into<Text>) {
        let value = value.into();
        if name.is_empty() || value.is_empty() {
            return;
        }
        if self.labels.len() >= LABELS_MAX && self.labels.get(name).is_none() {
            self.cut += 1;
            return;
        }
        let value = if value.len() > LABEL_VALUE_BYTES_MAX {
            self.cut += 1;
            cut(&value, LABEL_VALUE_BYTES_MAX)
        } else {
            value
        };
        self.labels
            .set(crate::bounds::prefix(name, LABEL_NAME_BYTES_MAX), nfc(value));
    }

    pub(crate) fn entity(&mut self, kind: &str, name: Option<Text>) {
        let Some(name) = name.filter(|n| !n.is_empty()) else {
            return;
        };
        if self.entities.len() >= ENTITIES_MAX && self.entities.get(kind).is_none() {
            self.cut += 1;
            return;
        }
        let kind = crate::bounds::prefix(kind, LABEL_NAME_BYTES_MAX);
        self.entities.set(kind, cut(&name, NAME_BYTES_MAX));
    }

    /// Takes from the lines of the text what no field named.
    pub(crate) fn named_in_its_text(&mut self) {
        self.named_beside_key();
        let (host, service) = std::mem::take(&mut self.beside_key);
        self.host = self.host.take().or(host);
        self.service = self.service.take().or(service);
    }

    /// The same, where the text of a recovery may name less than that of its alert.
    pub(crate) fn named_beside_key(&mut self) {
        let said = crate::pairs::Said::in_lines_of(&self.text);
        self.beside_key = (said.host, said.service);
        self.runbook = self.runbook.take().or(said.runbook);
        self.link(said.link, "source");
    }

    /// Keeps a link if it is one that a reader may open.
    pub(crate) fn link(&mut self, href: Option<Text>, text: &str) {
        if let Some(href) = href
            && self.links.len() < LINKS_MAX
            && is_web_address(&href)
            && self.links.iter().all(|l| l.href != href)
        {
            self.links.push(Link {
                href,
                text: text.into(),
            });
        }
    }

    /// The event. `context` supplies the times that the sender leaves out.
    pub(crate) fn finish(mut self, context: &Context<'_>) -> Event {
        names::repair(&mut self);
        if self.title.is_empty() {
            self.title = self.called();
        }
        self.one_line_title();
        if self.cut > 0 {
            self.labels
                .set("stormfold.cut", compact_str::format_compact!("{}", self.cut));
        }
        let stamped = self.ts.is_some();
        let received = context.received_at.or(self.received_at);
        // A sender that stamps no state leaves us the time of receipt; in a file without one, its onset.
        let ts = self
            .ts
            .or(received)
            .or(self.starts_at)
            .or(self.ends_at)
            .unwrap_or(context.undated);
        let mut event = Event {
            event_id: Text::default(),
            origin: Some(context.origin.clone()),
            kind: self.kind,
            dedup_key: Text::default(),
            status: self.status.unwrap_or(if self.kind == EventKind::Alert {
                Status::Firing
            } else {
                Status::Info
            }),
            severity: self.severity.unwrap_or_default(),
            severity_original: self.severity_original,
            title: nfc(self.title),
            text: nfc(self.text),
            ts,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            received_at: received.unwrap_or(ts),
            service: self.service.map(|n| nfc(cut(&n, NAME_BYTES_MAX))),
            host: self.host.map(|n| nfc(cut(&n, NAME_BYTES_MAX))),
            entities: self.entities,
            environment: self.environment,
            tenant: self.tenant,
            labels: self.labels,
            links: self.links,
            runbook: self.runbook,
            skewed: self.skewed,
            source: self.source,
        };
        event.dedup_key = match self.key.filter(|k| !k.is_empty()) {
            Some(key) if self.key_is_whole => crate::bounds::key(key),
            Some(key) => crate::bounds::key(compact_str::format_compact!("{}:{key}", event.source)),
            None => {
                let about = self.about.as_ref().unwrap_or(&event.labels);
                context.keys.borrow_mut().derive(&event, about)
            }
        };
        let (host, service) = self.beside_key;
        let named = |name: Option<Text>| name.map(|n| nfc(cut(&n, NAME_BYTES_MAX)));
        event.host = event.host.or_else(|| named(host));
        event.service = event.service.or_else(|| named(service));
        event.event_id = match self.event_id.filter(|id| !id.is_empty()) {
            Some(id) => crate::bounds::key(id),
            None => model::event_id(&event, stamped),
        };
        context.tables.enrich(&mut event, LABELS_MAX);
        domain(&mut event, context);
        event
    }

    /// What an alert is called whose sender gives it no title: by its first words, else by what it is about.
    fn called(&self) -> Text {
        let words = self.text.lines().map(str::trim).find(|line| !line.is_empty());
        let about = self.service.as_deref().or(self.host.as_deref());
        let entity = || self.entities.iter().next().map(|(_, name)| name);
        words
            .or(about)
            .or_else(entity)
            .or(self.key.as_deref())
            .unwrap_or_default()
            .into()
    }

    /// A title is one line; what follows it is text.
    fn one_line_title(&mut self) {
        let title = self.title.trim();
        if title.len() == self.title.len() && title.len() <= TITLE_BYTES_MAX && !title.contains(['\n', '\r'])
        {
            if self.text.len() > TEXT_BYTES_MAX {
                self.cut += 1;
                self.text = cut(&self.text, TEXT_BYTES_MAX);
            }
            return;
        }
        let (line, rest) = title.split_once(['\n', '\r']).unwrap_or((title, ""));
        if !rest.trim().is_empty() && !self.text.contains(rest.trim()) {
            let sep = if self.text.is_empty() { "" } else { "\n" };
            self.text = compact_str::format_compact!("{}{sep}{}", rest.trim(), self.text);
        }
        if line.len() > TITLE_BYTES_MAX {
            self.cut += 1;
        }
        self.title = cut(line.trim(), TITLE_BYTES_MAX);
        if self.text.len() > TEXT_BYTES_MAX {
            self.cut += 1;
            self.text = cut(&self.text, TEXT_BYTES_MAX);
        }
    }
}

/// Whose it is and of which environment, where the transport or a label says.
fn domain(event: &mut Event, context: &Context<'_>) {
    if let Some(tenant) = context.tenant {
        event.tenant = Some(cut(tenant, NAME_BYTES_MAX));
    }
    if event.tenant.is_none()
        && let Some(name) = context.tenant_label
    {
        event.tenant = event.labels.get(name).map(Text::from);
    }
    if event.environment.is_none()
        && let Some(name) = context.environment_label
    {
        event.environment = event.labels.get(name).map(Text::from);
    }
}

/// Whether it is an http or https address with a host and nothing that could break out of an attribute.
pub(crate) fn is_web_address(href: &str) -> bool {
    let rest = href
        .strip_prefix("https://")
        .or_else(|| href.strip_prefix("http://"));
    href.len() <= LINK_BYTES_MAX
        && rest.is_some_and(|r| r.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        && if href.is_ascii() {
            !href
                .bytes()
                .any(|b| b.is_ascii_control() || matches!(b, b'"' | b'<' | b'>' | b'`' | b' '))
        } else {
            !href.contains(|c: char| c.is_control() || matches!(c, '"' | '<' | '>' | '`' | ' '))
        }
}

/// The text in Unicode's composed form, so that two ways to type the same name are equal.
pub(crate) fn nfc(text: Text) -> Text {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        text.nfc().collect()
    }
}

/// At most `max` bytes, ending in an ellipsis when something was cut.
fn cut(text: &str, max: usize) -> Text {
    if text.len() <= max {
        return text.into();
    }
    compact_str::format_compact!("{}…", crate::bounds::prefix(text, max.saturating_sub(3)))
}
