//! Where the fields of an event stand in a payload: most of a source is this table, the rest its peculiarities.

use model::Text;

use crate::{
    draft::Draft,
    fields::{Fields, tags},
    state,
};

/// Paths to try for each field, best first. `key` names parts that together are the identity; those absent are left out.
#[derive(Default)]
pub(crate) struct Shape {
    pub(crate) title: &'static [&'static str],
    pub(crate) text: &'static [&'static str],
    pub(crate) state: &'static [&'static str],
    pub(crate) severity: &'static [&'static str],
    pub(crate) key: &'static [&'static str],
    pub(crate) ts: &'static [&'static str],
    pub(crate) starts_at: &'static [&'static str],
    pub(crate) ends_at: &'static [&'static str],
    pub(crate) service: &'static [&'static str],
    pub(crate) host: &'static [&'static str],
    pub(crate) entities: &'static [(&'static str, &'static str)],
    pub(crate) tags: &'static [&'static str],
    pub(crate) links: &'static [(&'static str, &'static str)],
    pub(crate) runbook: &'static [&'static str],
}

/// Nothing anywhere; for the fields that a source leaves out.
pub(crate) const EMPTY: Shape = Shape {
    title: &[],
    text: &[],
    state: &[],
    severity: &[],
    key: &[],
    ts: &[],
    starts_at: &[],
    ends_at: &[],
    service: &[],
    host: &[],
    entities: &[],
    tags: &[],
    links: &[],
    runbook: &[],
};

impl Shape {
    /// Reads the fields; the source adds what is peculiar and then takes the rest.
    pub(crate) fn read(&self, source: &str, f: &Fields<'_>) -> Draft {
        let mut d = Draft::new(source);
        // The identity is looked at before it is taken, because its parts are often fields of their own.
        let key: Vec<Text> = self.key.iter().filter_map(|path| f.glance(path)).collect();
        let parts: Vec<&str> = key.iter().map(Text::as_str).collect();
        d.key = Some(crate::fields::join(&parts)).filter(|k| !k.is_empty());
        d.title = f.first(self.title).unwrap_or_default();
        d.text = f.first(self.text).unwrap_or_default();
        if let Some(word) = f.first(self.state) {
            let known = state::word(&word);
            d.state(known);
            d.label(self.state[0].rsplit('.').next().unwrap_or("state"), word);
        }
        d.severity_word(f.first(self.severity));
        d.ts = f.time(self.ts);
        d.starts_at = f.time(self.starts_at);
        d.ends_at = f.time(self.ends_at);
        d.service = f.first(self.service);
        d.host = f.first(self.host);
        for (kind, path) in self.entities {
            if d.entities.get(kind).is_none() {
                d.entity(kind, f.text(path));
            }
        }
        for path in self.tags {
            if let Some(value) = f.take(path) {
                tags(value, &mut d);
            }
        }
        for (path, text) in self.links {
            d.link(f.glance(path), text);
            if f.glance(path).is_some_and(|l| crate::draft::is_web_address(&l)) {
                let _ = f.take(path);
            }
        }
        d.runbook = f.first(self.runbook);
        d
    }
}
