//! Which value of a field stays when the firing events of one alert differ.
//!
//! Events come in any order, so what was said lately is kept and folded in the order of `ts`: whatever order it came in,
//! the result is the same. A recovery ends what is merged; the next firing begins anew. What is older than the lateness
//! is folded into one, and so is the oldest of too much.

use std::collections::BTreeMap;

use model::{AlertId, Event, Labels, Severity, Status, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Engine,
    fold::Fold,
    settings::{Keep, Merge, secs},
    state::{
        alert::{self, Alert},
        incident::Face,
    },
};

/// Events that an alert remembers one by one.
const SAID_MAX: usize = 32;
/// Bytes of a value that grows by appending; what is beyond shows as an ellipsis.
const APPEND_BYTES_MAX: usize = 512;

/// What one event, or several folded into one, said of the fields that are merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Said {
    ts: Time,
    /// A recovery; it says nothing else.
    #[serde(default)]
    over: bool,
    #[serde(default)]
    title: Text,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    severity: Severity,
    /// By name, those that are merged.
    #[serde(default)]
    labels: Vec<(Text, Text)>,
}

impl Said {
    fn of(event: &Event, merge: &Merge) -> Said {
        if event.status == Status::Resolved {
            return Said {
                ts: event.ts,
                over: true,
                title: Text::default(),
                text: Text::default(),
                severity: Severity::default(),
                labels: Vec::new(),
            };
        }
        let labels = alert::labels(event);
        let named = |name: &String| Some((name.as_str().into(), labels.get(name)?.into()));
        Said {
            ts: event.ts,
            over: false,
            title: event.title.clone(),
            text: alert::head(&event.text),
            severity: event.severity,
            labels: merge.labels.keys().filter_map(named).collect(),
        }
    }

    /// Both as one. `newer` is the later by `ts`.
    fn with(self, newer: Said, merge: &Merge) -> Said {
        let mut labels: BTreeMap<Text, Text> = self.labels.into_iter().collect();
        for (name, value) in newer.labels {
            let keep = merge.labels.get(name.as_str()).copied().unwrap_or_default();
            let old = labels.remove(&name);
            labels.insert(name, keep.text(old.unwrap_or_default(), value, ","));
        }
        Said {
            ts: newer.ts,
            over: false,
            title: merge
                .title
                .unwrap_or_default()
                .text(self.title, newer.title, "; "),
            text: merge.text.unwrap_or_default().text(self.text, newer.text, "\n"),
            severity: merge
                .severity
                .unwrap_or_default()
                .severity(self.severity, newer.severity),
            labels: labels.into_iter().collect(),
        }
    }
}

impl Keep {
    /// What stays of an older and a newer text. One that says nothing changes nothing; numbers are compared as numbers.
    fn text(self, old: Text, new: Text, between: &str) -> Text {
        if old.is_empty() || new.is_empty() || old == new {
            return if old.is_empty() { new } else { old };
        }
        match self {
            Keep::First => old,
            Keep::Last => new,
            Keep::Max | Keep::Min => {
                let order = match (old.parse::<f64>(), new.parse::<f64>()) {
                    (Ok(a), Ok(b)) => b.total_cmp(&a),
                    _ => new.cmp(&old),
                };
                if order.is_gt() == (self == Keep::Max) {
                    new
                } else {
                    old
                }
            }
            Keep::Append => appended(old, &new, between),
        }
    }

    /// The same for severities; one that nobody understood is neither worst nor mildest.
    fn severity(self, old: Severity, new: Severity) -> Severity {
        match self {
            _ if new == Severity::Unknown => old,
            _ if old == Severity::Unknown => new,
            Keep::First => old,
            Keep::Last | Keep::Append => new,
            Keep::Max => old.max(new),
            Keep::Min => old.min(new),
        }
    }
}

/// Both texts, `between` between them, unless the first holds the second already. Bounded.
fn appended(mut old: Text, new: &str, between: &str) -> Text {
    for part in new.split(between) {
        if old.ends_with('…') || old.split(between).any(|p| p == part) {
            continue;
        }
        if old.len() + between.len() + part.len() > APPEND_BYTES_MAX {
            old.push_str(between);
            old.push('…');
        } else {
            old.push_str(between);
            old.push_str(part);
        }
    }
    old
}

impl Alert {
    /// Takes in what an event says of the fields that are merged, and shows what stays of all of it.
    pub(crate) fn hear(&mut self, event: &Event, fold: &Fold<'_>) {
        let merge = &fold.settings.merge;
        let said = Said::of(event, merge);
        // What says exactly the same at the same time says nothing new.
        if let Err(at) = self.said.binary_search(&said) {
            self.said.insert(at, said);
        }
        self.forget_said(merge, fold.time - secs(fold.settings.life.lateness_s));
        let run = match self.said.iter().rposition(|s| s.over) {
            // The alert has recovered: it shows what it was when it fired.
            Some(at) if at + 1 == self.said.len() => return,
            Some(at) => at + 1,
            None => 0,
        };
        let mut run = self.said[run..].iter().cloned();
        let Some(first) = run.next() else { return };
        let all = run.fold(first, |old, new| old.with(new, merge));
        self.severity = all.severity;
        if !all.title.is_empty() {
            self.set_title(all.title);
        }
        if merge.text.is_some() || !all.text.is_empty() {
            self.text = all.text;
        }
        for (name, value) in all.labels {
            self.labels.set(name, value);
        }
    }

    /// Drops what no late event can matter to any more, and makes one of the oldest two where there is too much.
    fn forget_said(&mut self, merge: &Merge, settled: Time) {
        if let Some(at) = self.said.iter().rposition(|s| s.over && s.ts < settled) {
            self.said.drain(..at);
        }
        while self.said.len() > SAID_MAX || self.said.get(1).is_some_and(|s| !s.over && s.ts < settled) {
            let old = self.said.remove(0);
            let new = self.said.remove(0);
            match (old.over, new.over) {
                // A recovery that nothing stands before says nothing; what it ended is over.
                (true, _) | (_, true) => self.said.insert(0, new),
                (false, false) => self.said.insert(0, old.with(new, merge)),
            }
        }
    }

    /// The merged labels of an alert, for its record.
    pub(crate) fn merged_labels(&self, merge: &Merge) -> Labels {
        let mut labels = Labels::new();
        for name in merge.labels.keys() {
            if let Some(value) = self.labels.get(name) {
                labels.set(name, value);
            }
        }
        labels
    }
}

impl Engine {
    /// Shows what stays of an alert where it is a member: a late recovery may have ended what was merged before it.
    pub(crate) fn show_merged(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        if !fold.settings.merge.any() {
            return;
        }
        let Some(alert) = self.alerts.get(&id) else { return };
        let (severity, face) = (alert.severity, Face::of(alert, &fold.settings.merge));
        let Some(incident) = alert.incident else { return };
        let member = self
            .incidents
            .get_mut(&incident)
            .and_then(|s| s.members.get_mut(&id));
        if let Some(member) = member {
            member.face = face;
            member.severity = severity;
            self.roll_up(incident, fold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_keep() {
        let keep = |keep: Keep, old: &str, new: &str| keep.text(old.into(), new.into(), ",").to_string();
        assert_eq!(keep(Keep::First, "a", "b"), "a");
        assert_eq!(keep(Keep::Last, "a", "b"), "b");
        assert_eq!(keep(Keep::Last, "a", ""), "a");
        assert_eq!(keep(Keep::Max, "9", "10"), "10");
        assert_eq!(keep(Keep::Min, "9", "10"), "9");
        assert_eq!(keep(Keep::Max, "a", "b"), "b");
        assert_eq!(keep(Keep::Min, "a", "b"), "a");
        assert_eq!(keep(Keep::Append, "a,b", "b"), "a,b");
        assert_eq!(keep(Keep::Append, "a,b", "c,a"), "a,b,c");
        assert_eq!(
            Keep::Max.severity(Severity::Critical, Severity::Warning),
            Severity::Critical
        );
        assert_eq!(
            Keep::Min.severity(Severity::Unknown, Severity::Warning),
            Severity::Warning
        );
    }

    #[test]
    fn appending_ends() {
        let mut all = Text::from("x");
        for n in 0..1_000 {
            all = Keep::Append.text(all, format!("value {n}").into(), ",");
        }
        assert!(all.len() <= APPEND_BYTES_MAX + 4, "{}", all.len());
        assert!(all.ends_with(",…"), "{all}");
    }
}
