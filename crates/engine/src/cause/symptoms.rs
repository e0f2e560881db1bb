//! Alerts as evidence: distinct symptoms, how much each says, and the groups in which they count together.

use std::collections::{BTreeMap, BTreeSet};

use model::{Hash128, Labels, Severity, Text, Time};
use topology::{Graph, NodeId};

use crate::grouping::ground::HOST;

use super::{
    AlertKind, AlertView, CauseInput, Entity, History,
    kind::ran_out,
    weights::{ALERTS_MAX, GROUP_WEIGHT_MAX, LEAK, LEAK_MAX, SYMPTOMS_MAX, severity_weight},
};

/// The ends of a call that an alert speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) caller: Option<Entity>,
    pub(super) callee: Entity,
}

/// One distinct saying: this class, at this place, about this call.
#[derive(Clone, Debug)]
pub(super) struct Symptom<'a> {
    /// Stable across versions of the topology: a hash of names.
    pub(super) key: u64,
    /// The same for everything of its kind at its place.
    pub(super) family: u64,
    /// The system whose history counts it.
    pub(super) system: Text,
    pub(super) class: u64,
    pub(super) title: &'a str,
    /// Of its first alert.
    pub(super) text: &'a str,
    pub(super) site: Entity,
    pub(super) call: Option<Call>,
    pub(super) kind: AlertKind,
    pub(super) severity: Severity,
    pub(super) events: u64,
    pub(super) alerts: u64,
    pub(super) first: Time,
    pub(super) hosts: BTreeSet<NodeId>,
    /// What of ours its place probably is under a foreign name.
    pub(super) probably: Option<&'a str>,
    /// The host that it names and no topology knows, where that alerts itself.
    pub(super) on: Option<Entity>,
    /// Of its first alert.
    pub(super) labels: &'a Labels,
    /// How much it says: severity, rarity, rarity of its family, and surprise.
    pub(super) weight: f64,
    /// Of that weight, the factor for coming more or less often than usual.
    pub(super) surprise: f64,
    /// Probability of it in any incident of its system.
    pub(super) usual: f64,
    /// 1 for what was never seen, towards 0 for what is always there.
    pub(super) rarity: f64,
}

/// Symptoms of one kind at one place about one call, which count together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) site: Entity,
    pub(super) call: Option<Call>,
    pub(super) kind: AlertKind,
    pub(super) hosts: Vec<NodeId>,
    /// What of ours its place probably is under a foreign name.
    pub(super) probably: Option<Text>,
    /// A host that no topology knows.
    pub(super) on: Option<Entity>,
    pub(super) weight: f64,
    /// Probability of it whatever the cause.
    pub(super) leak: f64,
    /// Rarity of its rarest symptom.
    pub(super) rarity: f64,
    /// It speaks of the inside of its place, and as of a failure: an error, or something ran out. A mere warning may be
    /// of anybody's doing.
    pub(super) breaks: bool,
    /// Index of its heaviest symptom, for words.
    pub(super) example: usize,
}

/// The system that a place's history belongs to: its component. Names that the topology does not know, and things that
/// stand alone in it, are counted among all incidents of the domain: among their own they would always be usual.
pub(super) fn system_of(graph: &Graph, site: &Entity) -> Text {
    match site.node() {
        Some(node) if graph.component_size(node) > 1 => graph.id(graph.component(node)).clone(),
        _ => WHOLE_DOMAIN,
    }
}

/// The system that every incident of a domain counts in.
pub(super) const WHOLE_DOMAIN: Text = Text::const_new("");

/// Distinct symptoms of an incident, heaviest classes first when there are too many, in the order of place and class.
pub(super) fn symptoms<'a>(input: &CauseInput<'a>, history: &History) -> Vec<Symptom<'a>> {
    let graph = input.graph;
    let mut found: BTreeMap<(Entity, u64, Option<Call>), Symptom<'a>> = BTreeMap::new();
    let looked_at = input.alerts.len().min(ALERTS_MAX);
    let machines = unknown_machines(input);
    for i in 0..looked_at {
        let alert = &input.alerts[i * input.alerts.len() / looked_at];
        let Some(site) = alert.site(graph) else { continue };
        let (call, place) = (call_of(graph, &site, alert), site.node());
        let symptom = found
            .entry((site.clone(), alert.class, call.clone()))
            .or_insert_with(|| Symptom {
                key: key_of(graph, &site, alert.class, call.as_ref()),
                family: family_of(graph, &site, alert.kind, call.as_ref()),
                system: system_of(graph, &site),
                class: alert.class,
                title: alert.title,
                text: alert.text,
                site,
                call,
                kind: alert.kind,
                severity: alert.severity,
                events: 0,
                alerts: 0,
                first: alert.first,
                hosts: BTreeSet::new(),
                probably: alert.probably.map(|(name, _)| name),
                on: None,
                labels: alert.labels,
                weight: 0.0,
                surprise: 1.0,
                usual: 0.0,
                rarity: 1.0,
            });
        symptom.severity = symptom.severity.max(alert.severity);
        symptom.events += alert.events;
        symptom.alerts += 1;
        symptom.first = symptom.first.min(alert.first);
        // A machine is its own host in the words of its tool, and stands on another all the same.
        let host = alert.host.map(|h| graph.thing(h));
        symptom.hosts.extend(host.filter(|h| place != Some(*h)));
        if symptom.on.is_none() && symptom.hosts.is_empty() {
            let on = alert.labels.get(HOST).filter(|name| machines.contains(name));
            let on = on.map(|name| Entity::Named(name.into()));
            symptom.on = on.filter(|on| *on != symptom.site);
        }
    }
    let mut symptoms: Vec<Symptom<'a>> = found.into_values().collect();
    let others = history.without(input.own);
    let typical = typical_events(&symptoms);
    for s in &mut symptoms {
        s.usual = others.usual_share(&s.system, s.key);
        s.rarity = others.rarity(&s.system, s.key);
        s.surprise = others.surprise(&s.system, s.key, s.events, typical[&s.system]);
        // A metric that never stood out says less where some metric always does.
        let unusual = s.rarity * libm::sqrt(others.rarity(&s.system, s.family));
        s.weight = severity_weight(s.severity) * unusual * s.surprise;
    }
    if symptoms.len() > SYMPTOMS_MAX {
        // Stable, so equal weights stay in the order of place and class.
        symptoms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        symptoms.truncate(SYMPTOMS_MAX);
        symptoms.sort_by(|a, b| (&a.site, a.class, &a.call).cmp(&(&b.site, b.class, &b.call)));
    }
    symptoms
}

/// Hosts that no topology knows and that alert themselves. A service may bear the same name as one and is not meant.
fn unknown_machines<'a>(input: &CauseInput<'a>) -> BTreeSet<&'a str> {
    let itself = |alert: &&AlertView<'a>| alert.subject.is_none() && alert.host.is_none() && alert.as_host;
    input
        .alerts
        .iter()
        .filter(itself)
        .map(|alert| alert.name)
        .collect()
}

/// Events that a symptom of each system typically has here: the geometric mean, which one flood hardly moves.
fn typical_events(symptoms: &[Symptom<'_>]) -> BTreeMap<Text, f64> {
    let mut logs: BTreeMap<Text, (f64, f64)> = BTreeMap::new();
    for s in symptoms {
        let (sum, n) = logs.entry(s.system.clone()).or_default();
        *sum += libm::log(s.events.max(1) as f64);
        *n += 1.0;
    }
    let mean = |(system, (sum, n))| (system, libm::exp(sum / n));
    logs.into_iter().map(mean).collect()
}

/// Groups of symptoms, in the order of place, kind and call.
pub(super) fn groups(graph: &Graph, symptoms: &[Symptom<'_>]) -> Vec<Group> {
    let mut members: BTreeMap<(&Entity, AlertKind, Option<&Call>), Vec<usize>> = BTreeMap::new();
    for (i, s) in symptoms.iter().enumerate() {
        members
            .entry((&s.site, s.kind, s.call.as_ref()))
            .or_default()
            .push(i);
    }
    let mut groups: Vec<Group> = members
        .into_iter()
        .map(|((site, kind, call), of)| {
            let sum: f64 = of.iter().map(|&i| symptoms[i].weight).sum();
            let usual: f64 = of.iter().map(|&i| symptoms[i].weight * symptoms[i].usual).sum();
            let example = of
                .iter()
                .copied()
                .reduce(|a, b| {
                    if symptoms[b].weight > symptoms[a].weight {
                        b
                    } else {
                        a
                    }
                })
                .expect("a group has a symptom");
            let mut hosts: BTreeSet<NodeId> = of.iter().flat_map(|&i| &symptoms[i].hosts).copied().collect();
            if let (true, Some(node)) = (hosts.is_empty(), site.node()) {
                hosts.extend(graph.hosts(node).iter().take(HOSTS_MAX));
            }
            let on = of.iter().find_map(|&i| symptoms[i].on.clone());
            Group {
                on: on.filter(|_| hosts.is_empty()),
                site: site.clone(),
                call: call.cloned(),
                kind,
                hosts: hosts.into_iter().take(HOSTS_MAX).collect(),
                probably: of.iter().find_map(|&i| symptoms[i].probably).map(Text::from),
                weight: GROUP_WEIGHT_MAX * (1.0 - libm::exp(-sum / GROUP_WEIGHT_MAX)),
                leak: (if sum > 0.0 { usual / sum } else { 1.0 }).clamp(LEAK, LEAK_MAX),
                rarity: of.iter().map(|&i| symptoms[i].rarity).fold(0.0, f64::max),
                breaks: kind.is_internal()
                    && of
                        .iter()
                        .any(|&i| symptoms[i].severity >= Severity::Error || ran_out(symptoms[i].title)),
                example,
            }
        })
        .collect();
    share_calls(&mut groups);
    groups
}

/// Who calls and who is called see the same: what both say of one call weighs as much as the heavier of them, shared.
fn share_calls(groups: &mut [Group]) {
    let of_call = |g: &Group| Some((g.kind, g.call.clone().filter(|_| g.kind.is_of_calls())?));
    let mut weights: BTreeMap<(AlertKind, Call), (f64, f64)> = BTreeMap::new();
    for group in &*groups {
        if let Some(call) = of_call(group) {
            let (sum, most) = weights.entry(call).or_default();
            *sum += group.weight;
            *most = most.max(group.weight);
        }
    }
    for group in groups {
        if let Some((sum, most)) = of_call(group).map(|call| weights[&call])
            && sum > 0.0
        {
            group.weight *= most / sum;
        }
    }
}

/// Hosts of one group that are suspected.
const HOSTS_MAX: usize = 8;

/// An alert that names only whom it called is about a call of its own place.
fn call_of(graph: &Graph, site: &Entity, alert: &AlertView<'_>) -> Option<Call> {
    let thing = |end: &Entity| match end {
        Entity::Node(node) => Entity::Node(graph.thing(*node)),
        Entity::Named(_) => end.clone(),
    };
    let callee = thing(alert.callee.as_ref()?);
    let own = Some(site).filter(|&site| *site != callee);
    Some(Call {
        caller: alert.caller.as_ref().map(thing).or_else(|| own.cloned()),
        callee,
    })
}

fn family_of(graph: &Graph, site: &Entity, kind: AlertKind, call: Option<&Call>) -> u64 {
    let mut hash = Hash128::new("family/1");
    hash.part(site.name(graph).as_bytes())
        .part(kind.as_str().as_bytes());
    finish(hash, graph, call)
}

fn key_of(graph: &Graph, site: &Entity, class: u64, call: Option<&Call>) -> u64 {
    let mut hash = Hash128::new("symptom/1");
    hash.part(site.name(graph).as_bytes()).part(&class.to_le_bytes());
    finish(hash, graph, call)
}

fn finish(mut hash: Hash128, graph: &Graph, call: Option<&Call>) -> u64 {
    if let Some(call) = call {
        hash.maybe(call.caller.as_ref().map(|c| c.name(graph).as_bytes()))
            .part(call.callee.name(graph).as_bytes());
    }
    (hash.finish() >> 64) as u64
}
