//! Inhibition: an alert that another one explains calls nobody while that one fires.
//!
//! *By labels*, as Alertmanager's rules say it: a firing alert that matches `source` explains those that match `target`
//! and have the same values under all of `equal`. *By the graph*: a critical alert explains milder ones, in other
//! incidents, of what depends on its entity over at most `graph_hops_max` steps, if it began first and its sender is one
//! that says when conditions end; the caller's own incident stays, its page waits for the end of what explains it.
//! What an unknown or silent sender says explains nothing, because nobody would ever be told that it is over.
//! *By planned work*: what a maintenance window holds explains whatever fails because of it over as many steps, in its own
//! incident too and be it critical, but only what says no more than that something needed fails: a caller that answers with
//! errors or is not reached, never one whose own disk is full or whose certificate expired.
//!
//! When what explained an alert has recovered, a minute is waited for the alert to recover, too, before anybody is called:
//! else each mended switch would ring for every machine behind it (Icinga/icinga2#5208).
//!
//! Who could explain whom is found in an index of firing members, so an alert costs the same however many fire.

use std::collections::{BTreeMap, BTreeSet};

use model::{AlertId, EvidenceKind, IncidentId, Severity, Span, Text};
use topology::{Direction, NodeId};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::verdict::name,
    many::many,
    settings::Inhibit,
    state::alert::{Alert, By, Quieted},
};

/// What polls everything in turn may report a caller this long before what it calls.
const BEFORE_S: i64 = 60;
/// What depends on something that recovered is seen to recover by its own monitor within so long: the customary interval
/// between two evaluations.
const RECOVERS_S: i64 = 60;
/// Alerts that are looked at again when one that may explain them begins or ends.
const RELOOK_MAX: usize = 1024;

/// Alerts that explain one another in a row; a longer row explains nothing.
const CHAIN_MAX: usize = 16;

/// Firing members, by what makes them explain or be explained. Derived, never written.
#[derive(Debug, Default)]
pub(crate) struct Firing {
    by_key: BTreeMap<Key, BTreeSet<AlertId>>,
    keys_of: BTreeMap<AlertId, Vec<Key>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Matches the source of a rule, with this hash of the equal labels.
    Source(usize, u64),
    Target(usize, u64),
    /// Critical on this entity.
    Critical(Text),
    /// Milder on this entity.
    Milder(Text),
}

impl Firing {
    fn at<'a>(&'a self, key: &Key) -> impl Iterator<Item = AlertId> + use<'a> {
        self.by_key.get(key).into_iter().flatten().copied()
    }

    /// Takes an alert out of the index; what it explained is looked at when it is heard next.
    pub(crate) fn forget(&mut self, id: AlertId) {
        self.file(id, Vec::new());
    }

    /// Files an alert under other keys; gives those under which that changed something.
    fn file(&mut self, id: AlertId, keys: Vec<Key>) -> Vec<Key> {
        let before = self.keys_of.remove(&id).unwrap_or_default();
        let changed: Vec<Key> = before
            .iter()
            .filter(|key| !keys.contains(key))
            .chain(keys.iter().filter(|key| !before.contains(key)))
            .cloned()
            .collect();
        for key in &before {
            if !keys.contains(key)
                && let Some(alerts) = self.by_key.get_mut(key)
            {
                alerts.remove(&id);
                if alerts.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        for key in &keys {
            self.by_key.entry(key.clone()).or_default().insert(id);
        }
        if !keys.is_empty() {
            self.keys_of.insert(id, keys);
        }
        changed
    }
}

/// The hash of an alert's values under the labels that must be equal; `None` where one is missing, for a missing value
/// equals nothing.
fn equal_hash(rule: &Inhibit, alert: &Alert) -> Option<u64> {
    let mut hash = model::Hash128::new("inhibit");
    for label in &rule.equal {
        let value = match label.as_str() {
            "service" => alert.service.as_deref(),
            "host" => alert.host.as_deref(),
            "source" => Some(alert.source.as_str()),
            "entity" => Some(alert.spot.entity.as_str()).filter(|e| !e.is_empty()),
            label => alert.labels.get(label),
        };
        hash.part(value?.as_bytes());
    }
    Some((hash.finish() >> 64) as u64)
}

impl Engine {
    /// Files an alert anew when its state, severity or place changed, and looks again at what it explains.
    pub(crate) fn watch(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        let inhibit = &fold.settings.suppress;
        if inhibit.inhibit.is_empty() && inhibit.graph_hops_max == 0 {
            return;
        }
        let keys = self.keys(id, fold);
        let fires = !keys.is_empty();
        let changed = self.firing.file(id, keys);
        if fires && !changed.is_empty() {
            // Before anybody is paged for what it explains no longer, it is known what keeps itself quiet.
            self.look_quiet(id, fold);
        }
        let mut touched = BTreeSet::new();
        for key in changed {
            for target in self.explained_by(&key, fold) {
                if target != id {
                    self.look_quiet(target, fold);
                    touched.extend(self.alerts.get(&target).and_then(|alert| alert.incident));
                }
            }
        }
        // All of an incident may be explained at once: nobody is paged for what is not looked at yet.
        for incident in touched {
            self.consider_page(incident, fold);
        }
    }

    /// Files every alert of an incident anew.
    pub(crate) fn watch_all(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let members = self.incidents.get(&id).map(|state| state.members.keys().copied());
        for alert in members.into_iter().flatten().collect::<Vec<_>>() {
            self.watch(alert, fold);
        }
    }

    /// Puts the index back after a restore, or under other rules; what explains what is known from the rows.
    pub(crate) fn refile(&mut self, fold: &Fold<'_>) {
        self.firing = Firing::default();
        for id in self.alerts.keys() {
            let keys = self.keys(id, fold);
            self.firing.file(id, keys);
        }
    }

    fn keys(&self, id: AlertId, fold: &Fold<'_>) -> Vec<Key> {
        let Some(alert) = self.alerts.get(&id) else {
            return Vec::new();
        };
        let open = |id: IncidentId| {
            self.incidents
                .get(&id)
                .is_some_and(|state| state.is_open() && !state.background)
        };
        if !alert.firing() || !alert.incident.is_some_and(open) {
            return Vec::new();
        }
        let mut keys = Vec::new();
        for (i, rule) in fold.settings.suppress.inhibit.iter().enumerate() {
            let source = rule.source.hold(alert, None);
            // Who matches both explains others and is explained by none, or two could keep each other quiet.
            let target = !source && rule.target.hold(alert, None);
            if let (true, Some(hash)) = (source || target, equal_hash(rule, alert)) {
                keys.push(if source {
                    Key::Source(i, hash)
                } else {
                    Key::Target(i, hash)
                });
            }
        }
        if fold.settings.suppress.graph_hops_max > 0 && alert.spot.known {
            let entity = alert.spot.entity.clone();
            keys.push(match alert.severity {
                Severity::Critical => Key::Critical(entity),
                _ => Key::Milder(entity),
            });
        }
        keys
    }

    /// Alerts whose explanation may have changed with an entry under this key.
    fn explained_by(&self, key: &Key, fold: &Fold<'_>) -> Vec<AlertId> {
        let targets: Vec<AlertId> = match key {
            Key::Source(rule, hash) => self.firing.at(&Key::Target(*rule, *hash)).collect(),
            Key::Critical(entity) | Key::Milder(entity) => {
                let works = self.has_works();
                let explains = works || matches!(key, Key::Critical(_));
                let Some(node) = fold.graph.find(entity).filter(|_| explains) else {
                    return Vec::new();
                };
                let up = fold
                    .graph
                    .ring(node, Direction::Up, fold.settings.suppress.graph_hops_max);
                let at = |node| {
                    let name = fold.graph.id(node);
                    let critical = works.then(|| self.firing.at(&Key::Critical(name.clone())));
                    let milder = self.firing.at(&Key::Milder(name.clone()));
                    milder.chain(critical.into_iter().flatten())
                };
                up.into_iter().flat_map(at).take(RELOOK_MAX).collect()
            }
            Key::Target(..) => Vec::new(),
        };
        targets
    }

    /// The firing alert that explains this one, if any does.
    pub(crate) fn inhibited(&self, id: AlertId, fold: &Fold<'_>) -> Option<Quieted> {
        let alert = self.alerts.get(&id)?;
        let by_label = self
            .firing
            .keys_of
            .get(&id)
            .into_iter()
            .flatten()
            .find_map(|key| {
                let Key::Target(rule, hash) = key else { return None };
                let sources = self.firing.at(&Key::Source(*rule, *hash));
                let source = self.earliest(sources.filter(|source| !self.rests_on(*source, id)))?;
                let rule = &fold.settings.suppress.inhibit[*rule];
                Some((source, 0, format!(", by rule {}", rule.name)))
            });
        let found = by_label
            .or_else(|| self.explained_in_graph(id, fold))
            .or_else(|| self.explained_by_work(id, fold));
        let Some((source_id, hops, how)) = found else {
            return self.recovering(alert, fold);
        };
        let source = self.alerts.get(&source_id)?;
        let since = alert.quieted.as_ref().filter(|q| q.by == By::Alert(source_id));
        Some(Quieted {
            by: By::Alert(source_id),
            name: compact_str::format_compact!("alert {source_id}"),
            since: since.map_or(fold.time, |q| q.since),
            until: None,
            reason: compact_str::format_compact!(
                "explained by {} on {}{how}",
                source.title,
                name(&source.spot.entity)
            ),
            kind: EvidenceKind::Inhibition,
            value: f64::from(hops),
        })
    }

    /// Whether an alert is itself explained, over however many others, by this one: of two rules that explain in a circle
    /// the alert that came first stays heard.
    fn rests_on(&self, mut source: AlertId, id: AlertId) -> bool {
        for _ in 0..CHAIN_MAX {
            let Some(alert) = self.alerts.get(&source) else {
                return false;
            };
            match alert.quieted.as_ref().map(|quieted| quieted.by) {
                Some(By::Alert(by)) if by == id => return true,
                Some(By::Alert(by)) => source = by,
                _ => return false,
            }
        }
        true
    }

    fn explained_in_graph(&self, id: AlertId, fold: &Fold<'_>) -> Option<(AlertId, u32, String)> {
        let alert = self.alerts.get(&id)?;
        let current = alert.spot.known && alert.spot.serial == fold.serial;
        if !current || alert.severity == Severity::Critical || !alert.firing() {
            return None;
        }
        let explains = |other: &AlertId| {
            self.alerts.get(other).is_some_and(|source| {
                source.incident != alert.incident
                    && source.onset <= alert.onset + Span::from_secs(BEFORE_S)
                    // What is silenced explains by rules only; what is worked on explains in its own way.
                    && source.quieted.is_none()
                    && self.sources.get(&source.source).is_some_and(|s| s.resolves > 0 && !s.never_resolves())
            })
        };
        self.below(alert, fold).find_map(|(node, hops)| {
            let there = self.firing.at(&Key::Critical(fold.graph.id(node).clone()));
            let source = self.earliest(there.filter(explains))?;
            Some((source, hops, format!(", {} down the graph", many(hops, "step"))))
        })
    }

    /// What a maintenance window holds, further down the graph, that this alert may come from.
    fn explained_by_work(&self, id: AlertId, fold: &Fold<'_>) -> Option<(AlertId, u32, String)> {
        let alert = self.alerts.get(&id)?;
        let current = alert.spot.known && alert.spot.serial == fold.serial;
        if !self.has_works() || !current || !alert.firing() || !alert.kind.may_come_from_below() {
            return None;
        }
        let explains = |other: &AlertId| {
            self.alerts.get(other).is_some_and(|source| {
                source.onset <= alert.onset + Span::from_secs(BEFORE_S) && self.is_worked_on(source, fold)
            })
        };
        self.below(alert, fold).find_map(|(node, hops)| {
            let at = |key: fn(Text) -> Key| self.firing.at(&key(fold.graph.id(node).clone()));
            let there = at(Key::Critical).chain(at(Key::Milder));
            let source = self.earliest(there.filter(explains))?;
            let steps = many(hops, "step");
            Some((
                source,
                hops,
                format!(", {steps} down the graph and under maintenance"),
            ))
        })
    }

    /// What an alert depends on within the steps of the setting, the nearest first.
    fn below<'a>(&self, alert: &Alert, fold: &Fold<'a>) -> impl Iterator<Item = (NodeId, u32)> + use<'a> {
        let hops_max = fold.settings.suppress.graph_hops_max;
        let node = alert.spot.node.filter(|_| hops_max > 0);
        let rings = node.map(|node| fold.graph.rings(NodeId(node), Direction::Down, hops_max));
        rings.into_iter().flatten().filter(|(_, hops)| *hops > 0)
    }

    /// What explained an alert has recovered: for a while it is waited for that the alert recovers with it.
    fn recovering(&self, alert: &Alert, fold: &Fold<'_>) -> Option<Quieted> {
        let before = alert.quieted.as_deref()?;
        let By::Alert(source) = before.by else { return None };
        let over = self.alerts.get(&source).is_some_and(|source| !source.firing());
        if !over || !alert.firing() {
            return None;
        }
        let mut now = before.clone();
        let until = *now.until.get_or_insert(fold.time + Span::from_secs(RECOVERS_S));
        if before.until.is_none() {
            now.reason = compact_str::format_compact!("{}, which recovered; waits", before.reason);
        }
        (until > fold.time).then_some(now)
    }

    /// Members whose explanation is over are looked at again when they had their time to recover.
    pub(crate) fn look_recovering(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let members = self.incidents.get(&id).map(|state| state.members.keys().copied());
        for member in members.into_iter().flatten().collect::<Vec<_>>() {
            let quieted = self
                .alerts
                .get(&member)
                .and_then(|alert| alert.quieted.as_deref());
            let Some(until) = quieted
                .filter(|q| matches!(q.by, By::Alert(_)))
                .and_then(|q| q.until)
            else {
                continue;
            };
            if until <= fold.time {
                self.look_quiet(member, fold);
            } else {
                self.wake_at(id, until, fold);
            }
        }
    }

    fn earliest(&self, alerts: impl Iterator<Item = AlertId>) -> Option<AlertId> {
        alerts.min_by_key(|id| (self.alerts.get(id).map(|alert| alert.onset), *id))
    }
}
