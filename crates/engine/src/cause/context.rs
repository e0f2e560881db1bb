//! What kind of incident it is: one service, a cascade, a systemic failure, a third party's.
//!
//! Read off the first-ranked cause and how much of the evidence lies above it in the graph, never off the order in
//! which alerts came: clocks differ, and monitors look at different intervals. The first class that fits is it; where
//! none does, that is said.

use std::collections::{BTreeMap, BTreeSet};

use model::{Context, ContextClass, Evidence, EvidenceKind, Text};
use topology::{Graph, NodeKind};

use crate::{
    cause::{Candidate, Entity, GROUNDS, Ranking, SAID, Site, Tie, explains, owner::blast_radius},
    many::many,
};

/// Share of the evidence that a root must explain to be the one root of it.
const COVERAGE_MIN: f64 = 0.6;
/// A foreign cause this probable needs no coverage.
const THIRD_PARTY_PROBABILITY: f64 = 0.5;
/// Own dependents of a foreign cause that must alert when it says nothing itself; all of them where it has fewer.
const DEPENDENTS_MIN: usize = 2;
/// Places that must alert before a shared ground is looked for.
const PLACES_MIN: usize = 3;
/// Share of the places that must stand on one ground.
const GROUND_SHARE: f64 = 0.8;
/// A ground that carries more than this share of everything known distinguishes nothing.
const GROUND_COMMON: f64 = 0.5;
/// Share of a system's services that must alert for a failure without one root to be systemic.
const BREADTH_MIN: f64 = 0.3;

/// The context class of an incident, with how sure and why.
pub(crate) fn context(ranking: &Ranking, graph: &Graph) -> Context {
    let mut context = class(ranking, graph);
    context.because.extend(blast_radius(ranking, graph));
    context
}

fn class(ranking: &Ranking, graph: &Graph) -> Context {
    let sites = &ranking.sites;
    let Some(root) = ranking.root() else {
        return said(
            ContextClass::Unclear,
            0.5,
            EvidenceKind::Coverage,
            0.0,
            "its alerts name nothing".to_owned(),
        );
    };
    let covered = format!(
        "{:.0} % of the evidence lies on it or on what depends on it",
        100.0 * ranking.coverage
    );
    if let Some(foreign) = third_party(ranking, root, graph) {
        let text = format!("{} is somebody else's; {covered}", root.name);
        let mut context = said(
            ContextClass::ThirdParty,
            sure(root, ranking),
            EvidenceKind::Coverage,
            ranking.coverage,
            text,
        );
        context.because.push(foreign);
        return context;
    }
    if let [only] = &sites[..] {
        let text = format!("all alerts are on {}", ranking.written.name(&only.entity, graph));
        return said(ContextClass::Isolated, 0.9, EvidenceKind::Entity, 1.0, text);
    }
    let residents = others(sites, root)
        .filter(|s| match root.entity.node() {
            Some(node) => s.hosts.contains(&node),
            None => s.tie == Some(Tie::Host),
        })
        .count();
    // What they run on, be it a machine, a rack or a zone.
    let ground = residents >= DEPENDENTS_MIN
        || (root.entity.node()).is_some_and(|n| graph.kind(n) == NodeKind::Coordination);
    if ground && ranking.coverage >= COVERAGE_MIN {
        let text = format!(
            "{} is the common ground of {residents} places that alert; {covered}",
            root.name
        );
        return said(
            ContextClass::Systemic,
            sure(root, ranking),
            EvidenceKind::Coverage,
            ranking.coverage,
            text,
        );
    }
    if let Some((kind, _, share)) = common_ground(sites, graph, |name| *name == SAID) {
        let text = format!(
            "{:.0} % of {} places say that it is {kind}",
            100.0 * share,
            sites.len()
        );
        return said(ContextClass::Systemic, share, EvidenceKind::Label, share, text);
    }
    if ranking.coverage >= COVERAGE_MIN {
        let places = others(sites, root)
            .filter(|s| s.tie.is_some_and(explains))
            .count();
        if places > 0 {
            let text = format!(
                "spreads from {} to {} along dependencies; {covered}",
                root.name,
                many(places as u64, "place")
            );
            return said(
                ContextClass::Cascading,
                sure(root, ranking),
                EvidenceKind::Coverage,
                ranking.coverage,
                text,
            );
        }
    }
    if ranking.coverage >= COVERAGE_MIN {
        let text = format!("{} alone carries it: {covered}", root.name);
        return said(
            ContextClass::Isolated,
            ranking.coverage,
            EvidenceKind::Coverage,
            ranking.coverage,
            text,
        );
    }
    if let Some((kind, name, share)) = common_ground(sites, graph, |name| *name != SAID) {
        let text = format!(
            "{:.0} % of {} places stand on one {kind}, {name}; no single root explains them",
            100.0 * share,
            sites.len()
        );
        return said(
            ContextClass::Systemic,
            share * (1.0 - ranking.coverage),
            EvidenceKind::Label,
            share,
            text,
        );
    }
    let breadth = breadth(sites, graph);
    if sites.len() >= PLACES_MIN && breadth >= BREADTH_MIN && ranking.coverage < COVERAGE_MIN {
        let text = format!(
            "{:.0} % of the system alert, and no single root explains them",
            100.0 * breadth
        );
        return said(
            ContextClass::Systemic,
            breadth,
            EvidenceKind::Coverage,
            breadth,
            text,
        );
    }
    let text = format!("the first-ranked cause is {}, but only {covered}", root.name);
    said(
        ContextClass::Unclear,
        1.0 - ranking.coverage,
        EvidenceKind::Coverage,
        ranking.coverage,
        text,
    )
}

fn said(class: ContextClass, confidence: f64, kind: EvidenceKind, value: f64, text: String) -> Context {
    Context {
        class,
        confidence: confidence.clamp(0.0, 1.0),
        because: vec![Evidence::new(kind, value, text)],
    }
}

/// How sure a class is that rests on the root: it is as sure as the root, helped by what that explains.
fn sure(root: &Candidate, ranking: &Ranking) -> f64 {
    1.0 - (1.0 - root.score) * (1.0 - ranking.coverage * ranking.coverage)
}

fn others<'a>(sites: &'a [Site], root: &'a Candidate) -> impl Iterator<Item = &'a Site> {
    sites.iter().filter(|s| s.entity != root.entity)
}

/// Whether the root is foreign and enough speaks for it.
fn third_party(ranking: &Ranking, root: &Candidate, graph: &Graph) -> Option<Evidence> {
    root.entity.node().filter(|&n| graph.is_external(n))?;
    if ranking.coverage < COVERAGE_MIN && root.score < THIRD_PARTY_PROBABILITY {
        return None;
    }
    let own: BTreeSet<&Entity> = others(&ranking.sites, root)
        .filter(|s| s.tie.is_some_and(explains) && s.entity.node().is_none_or(|n| !graph.is_external(n)))
        .map(|s| &s.entity)
        .collect();
    let says_so = ranking.sites.iter().any(|s| s.entity == root.entity);
    let direct = root.entity.node().map_or(0, |n| graph.needed_by(n).len());
    if own.len() < DEPENDENTS_MIN.min(direct) && !says_so {
        return None;
    }
    let names: Vec<&str> = own
        .iter()
        .take(5)
        .map(|e| ranking.written.name(e, graph).as_str())
        .collect();
    let text = match (names.is_empty(), says_so) {
        (true, _) => "it alerts itself, nothing of ours does".to_owned(),
        (false, true) => format!("it alerts itself, and of ours {} with it", names.join(", ")),
        (false, false) => format!("{} of our own fail with it: {}", own.len(), names.join(", ")),
    };
    Some(Evidence::new(EvidenceKind::Topology, own.len() as f64, text))
}

/// The most specific ground that nearly all places share and that not everything stands on.
fn common_ground(
    sites: &[Site],
    graph: &Graph,
    which: impl Fn(&Text) -> bool,
) -> Option<(&'static str, Text, f64)> {
    if sites.len() < PLACES_MIN {
        return None;
    }
    let mut counts: BTreeMap<(usize, &Text), usize> = BTreeMap::new();
    for site in sites {
        for (kind, name) in site.grounds.iter().filter(|(_, name)| which(name)) {
            let rank = GROUNDS.iter().position(|g| g == kind).unwrap_or(GROUNDS.len());
            *counts.entry((rank, name)).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|((rank, name), n)| (rank, name, n as f64 / sites.len() as f64))
        .filter(|(_, _, share)| *share >= GROUND_SHARE)
        .find(|(rank, name, _)| graph.label_share(GROUNDS[*rank], name) <= GROUND_COMMON)
        .map(|(rank, name, share)| (GROUNDS[rank], name.clone(), share))
}

/// Share of the services of its system that alert.
fn breadth(sites: &[Site], graph: &Graph) -> f64 {
    let mut systems: BTreeMap<topology::NodeId, usize> = BTreeMap::new();
    for node in sites.iter().filter_map(|s| s.entity.node()) {
        *systems.entry(graph.component(node)).or_default() += 1;
    }
    systems
        .into_iter()
        .map(|(system, n)| n as f64 / graph.component_size(system).max(PLACES_MIN) as f64)
        .fold(0.0, f64::max)
}
