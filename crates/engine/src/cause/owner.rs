//! Whose it is: one team to page, others to tell.
//!
//! The first-ranked cause's owner is paged however unsure the ranking is: on labelled streams it is right more often than
//! what alerted first or most (`docs/judgement.md` has both). Only when nobody is entered for the cause the alerting
//! places are asked, earliest first, and then the default route.

use model::{Evidence, EvidenceKind, Owner, Text};
use topology::{Graph, OwnedBy};

use crate::cause::{Candidate, Ranking, Site};

/// A candidate at least this probable is told although its place raised no alert.
const TELL_PROBABILITY_MIN: f64 = 0.2;
/// Dependents that are walked for the blast radius.
const DEPENDENTS_MAX: usize = 200;
/// Dependents that are named.
const NAMED_MAX: usize = 5;

/// The team to page.
pub(crate) fn owner(ranking: &Ranking, graph: &Graph, default_team: &str) -> Owner {
    let root = ranking.root();
    if let Some(cause) = root
        && let Some(owned) = owned(cause, graph)
    {
        let text = format!(
            "{} owns {}, the first-ranked cause ({:.0} %)",
            owned.team,
            by(&owned, &cause.name, graph),
            100.0 * cause.score
        );
        return page(owned, cause.name.clone(), text);
    }
    let unowned = root.map_or_else(
        || "no cause is known".to_owned(),
        |c| format!("nobody is entered as owner of {}", c.name),
    );
    let mut places: Vec<_> = ranking.sites.iter().collect();
    places.sort_by(|a, b| (a.first, &a.entity).cmp(&(b.first, &b.entity)));
    for place in places {
        if let Some(owned) = place.entity.node().and_then(|n| graph.owner(n)) {
            let name = place.entity.name(graph).clone();
            let text = format!(
                "{unowned}; {} owns {}, which alerted first of those with an owner",
                owned.team,
                by(&owned, &name, graph)
            );
            return page(owned, name, text);
        }
    }
    let named = |s: &Site| s.team.clone();
    let of_cause = root.and_then(|cause| {
        ranking
            .sites
            .iter()
            .find(|s| s.entity == cause.entity)
            .and_then(named)
    });
    let mut first: Vec<&Site> = ranking.sites.iter().filter(|s| s.team.is_some()).collect();
    first.sort_by(|a, b| (a.first, &a.entity).cmp(&(b.first, &b.entity)));
    if let Some(team) = of_cause.or_else(|| first.first().copied().and_then(named)) {
        let text = format!("{unowned} in the topology; its alerts name {team}");
        return Owner {
            team,
            entity: None,
            because: vec![Evidence::new(EvidenceKind::Ownership, 0.0, text)],
        };
    }
    let text = format!("{unowned}, nor of any place that alerts; the default route is paged");
    Owner {
        team: default_team.into(),
        entity: None,
        because: vec![Evidence::new(EvidenceKind::Ownership, 0.0, text)],
    }
}

/// Teams to tell: owners of the places that alert and of other probable causes; sorted.
pub(crate) fn also_notify(ranking: &Ranking, graph: &Graph, owner: &Owner) -> Vec<Text> {
    let places = ranking.sites.iter().filter_map(|s| graph.owner(s.entity.node()?));
    let causes = ranking
        .candidates
        .iter()
        .filter(|c| c.score >= TELL_PROBABILITY_MIN)
        .filter_map(|c| owned(c, graph));
    let mut teams: Vec<Text> = places
        .chain(causes)
        .map(|o| o.team)
        .filter(|team| *team != owner.team)
        .collect();
    teams.sort_unstable();
    teams.dedup();
    teams
}

/// What depends on the first-ranked cause, whether it alerts or not.
pub(crate) fn blast_radius(ranking: &Ranking, graph: &Graph) -> Option<Evidence> {
    let root = ranking.root()?;
    let dependents = graph.dependents(root.entity.node()?, DEPENDENTS_MAX);
    if dependents.found.is_empty() {
        return None;
    }
    let count = dependents.found.len();
    let names: Vec<&str> = dependents
        .found
        .iter()
        .take(NAMED_MAX)
        .map(|(n, _)| graph.id(*n).as_str())
        .collect();
    let more = if dependents.more { "more than " } else { "" };
    let rest = if count > NAMED_MAX { ", …" } else { "" };
    let depend = if count == 1 && !dependents.more {
        "thing depends"
    } else {
        "things depend"
    };
    let text = format!(
        "{more}{count} {depend} on {}: {}{rest}",
        root.name,
        names.join(", ")
    );
    Some(Evidence::new(EvidenceKind::Topology, count as f64, text))
}

fn owned(cause: &Candidate, graph: &Graph) -> Option<OwnedBy> {
    graph.owner(cause.entity.node()?)
}

fn page(owned: OwnedBy, entity: Text, text: String) -> Owner {
    Owner {
        because: vec![Evidence::new(
            EvidenceKind::Ownership,
            f64::from(owned.hops),
            text,
        )],
        team: owned.team,
        entity: Some(entity),
    }
}

/// The thing asked for, and where its team is entered when that is elsewhere.
fn by(owned: &OwnedBy, name: &Text, graph: &Graph) -> String {
    if graph.id(owned.node) == name {
        name.to_string()
    } else {
        format!("{name} (by {})", graph.id(owned.node))
    }
}
