//! The ranking itself.

use std::collections::{BTreeMap, BTreeSet};

use model::{CauseKind, Evidence, Labels, Severity, Text, Time};

pub(crate) use super::blame::Tie;
use topology::{Graph, NodeKind};

use super::{
    AlertKind, CauseInput, ChangeView, Entity, History, beside,
    blame::{Blame, Link},
    foreign::kind_by_name,
    history::STRENGTHS,
    kind::said_ground,
    symptoms::{self, Call, Group, Symptom},
    weights::{
        CANDIDATE_HOPS_DOWN, CANDIDATE_HOPS_UP, CANDIDATES_MAX, CHANGE, CHANGE_AFTER_S, CHANGE_HALF_LIFE_S,
        CHANGE_MAX_S, CHANGE_SHARE, EQUAL, EVIDENCE_SPREAD, EVIDENCE_SPREAD_MIN, OWN, RANKED_MAX, SILENT,
        SILENT_NAMED, STARVED, STARVED_MIN, USUAL, WAVE_MAX, kind_prior,
    },
    words,
    written::Written,
};

/// Causes of one incident, best first, and what their ranking rests on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranking {
    /// At most ten, best first; a change stands behind the entity that it changed.
    pub(crate) candidates: Vec<Candidate>,
    /// Share of the evidence at places that the first-ranked entity explains by the graph, 0 to 1.
    pub(crate) coverage: f64,
    /// Places of its alerts, heaviest first.
    pub(crate) sites: Vec<Site>,
    /// How unknown things are written.
    pub(crate) written: Written,
    /// The system that most of the evidence lies in.
    pub(super) system: Text,
    /// All entities ranked, best first.
    pub(super) scored: Vec<Scored>,
    /// What it showed, for history.
    pub(super) symptoms: Vec<Symptomatic>,
}

/// A possible cause.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// What: a thing of the graph, or a name. For a change what it changed.
    pub(crate) entity: Entity,
    /// Its name in records: the entity's as its alerts write it, or the event id of the change.
    pub(crate) name: Text,
    /// Whether it alerts, is silent, or is a change.
    pub(crate) kind: CauseKind,
    /// Probability among the entities, 0 to 1; for a change the part of its entity's that it takes.
    pub(crate) score: f64,
    /// Why.
    pub(crate) because: Vec<Evidence>,
}

/// A place of alerts.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The place.
    pub(crate) entity: Entity,
    /// Weight of its evidence.
    pub(crate) weight: f64,
    /// How the first-ranked entity lies to it, if at all.
    pub(crate) tie: Option<Tie>,
    /// Its worst severity.
    pub(crate) severity: Severity,
    /// `ts` of its first event.
    pub(crate) first: Time,
    /// Alerts there.
    pub(crate) alerts: u64,
    /// Machines of its alerts, else those that the graph knows; sorted.
    pub(crate) hosts: Vec<topology::NodeId>,
    /// What it stands on, as (kind, name): node, version, zone, …; sorted.
    pub(crate) grounds: Vec<(&'static str, Text)>,
    /// The team that its alerts name themselves.
    pub(crate) team: Option<Text>,
}

/// An entity with its probability at each strength of feedback, and mixed.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) entity: Entity,
    /// What history knows it by.
    pub(super) name: Text,
    pub(super) at_strength: [f64; STRENGTHS.len()],
    pub(super) probability: f64,
}

/// What history keeps of a symptom.
#[derive(Clone, Debug)]
pub(super) struct Symptomatic {
    pub(super) system: Text,
    pub(super) key: u64,
    pub(super) family: u64,
    pub(super) events: u64,
    pub(super) rarity: f64,
}

/// Everything known about one candidate while it is scored.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Groups that it explains, as (group, link).
    pub(super) links: Vec<(usize, Link)>,
    /// It may be the root, not only explain: it lies near enough.
    candidate: bool,
    /// It raises alerts of its own.
    pub(super) alerts: bool,
    /// An alert names it as an end of a call, or by what probably is another name of it.
    pub(super) named: bool,
    /// It says itself that it is down or broken, or alerts about calls to it name it: seen, not inferred, so no prior counts.
    direct: bool,
    /// Weight of its own internal symptoms.
    pub(super) own: f64,
    /// How rare the rarest of its own alerts is, 0 when it raises none: what is always there shows no trouble either.
    pub(super) loud: f64,
    /// The nearest change before the first symptom, and what is left of its weight, 0 to 1.
    pub(super) change: Option<(usize, f64)>,
    /// Sum of all terms but those of feedback.
    sum: f64,
    /// The same without what it explains.
    pub(super) bare: f64,
}

/// Ranks the causes of an incident.
pub(crate) fn rank(input: &CauseInput<'_>, history: &History) -> Ranking {
    let graph = input.graph;
    let symptoms = symptoms::symptoms(input, history);
    if symptoms.is_empty() {
        return Ranking::default();
    }
    let groups = symptoms::groups(graph, &symptoms);
    let system = main_system(&symptoms);
    let mut standings = standings(input, &groups, &symptoms);
    let weight: f64 = groups.iter().map(|g| g.weight).sum();
    let sharpness = 1.0 / (EVIDENCE_SPREAD * libm::sqrt(weight)).max(EVIDENCE_SPREAD_MIN);
    for (entity, standing) in &mut standings {
        standing.bare = bare(input, history, &system, sharpness, entity, standing);
        standing.sum = standing.bare + sharpness * gain(&groups, standing);
    }
    let remembered: Vec<Symptomatic> = symptoms
        .iter()
        .map(|s| Symptomatic {
            system: s.system.clone(),
            key: s.key,
            family: s.family,
            events: s.events,
            rarity: s.rarity,
        })
        .collect();
    let mut scored = probabilities(input, history, &system, &standings, &remembered);
    let written = Written::of(graph, input.alerts);
    let kept = keep_named(input, &written, &mut scored);
    beside::order(&mut scored, &standings, &groups, sharpness);
    let best = scored.first().map(|s| &standings[&s.entity]);
    let sites = sites(input, &symptoms, &groups, best, scored.first().map(|s| &s.entity));
    let total: f64 = sites.iter().map(|s| s.weight).sum();
    let explained: f64 = sites
        .iter()
        .filter(|s| s.tie.is_some_and(explains))
        .map(|s| s.weight)
        .sum();
    let coverage = if total > 0.0 { explained / total } else { 0.0 };
    let says = words::Says {
        input,
        written: &written,
        history,
        system: &system,
        groups: &groups,
        symptoms: &symptoms,
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for s in scored.iter().take(RANKED_MAX) {
        let standing = &standings[&s.entity];
        let mut because = says.of(s, standing);
        if candidates.is_empty() {
            because.push(says.coverage(coverage, &sites));
            because.extend(kept.map(|odds| says.kept(odds)));
        }
        let kind = if standing.alerts {
            CauseKind::Alerting
        } else {
            CauseKind::Silent
        };
        let name = written.name(&s.entity, graph);
        candidates.push(Candidate {
            entity: s.entity.clone(),
            name: name.clone(),
            kind,
            score: s.probability,
            because,
        });
        if let Some((change, strength)) = standing.change {
            let change = &input.changes[change];
            candidates.push(Candidate {
                entity: s.entity.clone(),
                name: change.id.into(),
                kind: CauseKind::Change,
                score: s.probability * CHANGE_SHARE * strength,
                because: vec![says.change(change, name)],
            });
        }
    }
    candidates.truncate(RANKED_MAX);
    Ranking {
        candidates,
        coverage,
        sites,
        written,
        system,
        scored,
        symptoms: remembered,
    }
}

/// Whether a root with this tie explains a place: the place is it, depends on it, calls it or runs on it.
pub(crate) fn explains(tie: Tie) -> bool {
    matches!(
        tie,
        Tie::Itself | Tie::Callee | Tie::Needed(_) | Tie::Host | Tie::HostOfNeeded(_)
    )
}

/// The system with the most evidence; ties go to the smaller name.
fn main_system(symptoms: &[Symptom<'_>]) -> Text {
    let mut weights: BTreeMap<&Text, f64> = BTreeMap::new();
    for s in symptoms {
        *weights.entry(&s.system).or_default() += s.weight;
    }
    let mut best: Option<(&Text, f64)> = None;
    for (system, weight) in weights {
        if best.is_none_or(|(_, w)| weight > w) {
            best = Some((system, weight));
        }
    }
    best.map(|(system, _)| system.clone()).unwrap_or_default()
}

fn standings(
    input: &CauseInput<'_>,
    groups: &[Group],
    symptoms: &[Symptom<'_>],
) -> BTreeMap<Entity, Standing> {
    let graph = input.graph;
    let mut blame = Blame::new(graph, groups);
    let mut standings: BTreeMap<Entity, Standing> = BTreeMap::new();
    for (i, group) in groups.iter().enumerate() {
        for (entity, link) in blame.of(group) {
            let near = match link.tie {
                Tie::Needed(hops) | Tie::HostOfNeeded(hops) => hops <= CANDIDATE_HOPS_DOWN,
                Tie::Needs(hops) => hops <= CANDIDATE_HOPS_UP,
                _ => true,
            };
            let standing = standings.entry(entity).or_default();
            standing.candidate |= near;
            standing.links.push((i, link));
        }
        let site = standings.entry(group.site.clone()).or_default();
        site.alerts = true;
        site.candidate = true;
        site.loud = site.loud.max(group.rarity);
        if group.kind.is_internal() {
            site.own += group.weight;
        }
        site.direct |= group.kind.is_down() || group.breaks;
        if let Some(call) = group.call.as_ref().filter(|_| group.kind.is_of_calls())
            && let Some(standing) = standings.get_mut(&call.callee)
        {
            standing.direct = true;
        }
        // Under a foreign name a service is named too, if probably.
        let suggested = graph
            .alias_suggestions()
            .iter()
            .filter(|s| group.site.node() == Some(s.external));
        let suggested = suggested.map(|s| Entity::Node(s.service));
        let probably = group.probably.iter().cloned().map(Entity::Named);
        for named in ends(group.call.as_ref()).chain(suggested).chain(probably) {
            if let Some(standing) = standings.get_mut(&named) {
                standing.named = true;
            }
        }
    }
    let is_host = |entity: &Entity| {
        entity
            .node()
            .is_none_or(|node| graph.kind(node) == NodeKind::Host)
    };
    let fell: BTreeSet<Entity> = standings
        .iter()
        .filter(|(entity, standing)| is_host(entity) && residents_down(standing, groups, |_| true) >= 2)
        .map(|(entity, _)| entity.clone())
        .collect();
    for host in &fell {
        if let Some(standing) = standings.get_mut(host) {
            standing.named = true;
            // That two which are said to have failed share a machine is hardly chance, so no prior counts against it. What
            // only warns may be of anybody's doing.
            standing.direct |= residents_down(standing, groups, |g| g.breaks) >= 2;
        }
    }
    // What goes down with others on its machine says nothing of its own inside.
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (g, group) in groups.iter().enumerate().filter(|(_, g)| g.kind.is_down()) {
        let hosts = group
            .hosts
            .iter()
            .map(|h| Entity::Node(*h))
            .chain(group.on.clone());
        if hosts.into_iter().any(|h| group.site != h && fell.contains(&h)) {
            taken.insert(g);
        }
    }
    let first = symptoms.iter().map(|s| s.first).min().unwrap_or_default();
    let changed: BTreeSet<Entity> = input
        .changes
        .iter()
        .filter(|change| change_strength(change, first).is_some())
        .map(|change| subject(graph, change))
        .collect();
    taken.extend(starve(graph, &mut standings, groups, symptoms, &changed));
    for g in taken {
        if let Some(standing) = standings.get_mut(&groups[g].site) {
            standing.own -= groups[g].weight;
        }
    }
    for (i, change) in input.changes.iter().enumerate() {
        let entity = subject(graph, change);
        let Some(strength) = change_strength(change, first) else {
            continue;
        };
        let Some(standing) = standings.get_mut(&entity) else {
            continue;
        };
        // A change that may be further away than a candidate otherwise must be: it was touched.
        standing.candidate |= standing.links.iter().any(|(_, l)| explains(l.tie));
        if standing.change.is_none_or(|(_, s)| strength > s) {
            standing.change = Some((i, strength));
        }
    }
    standings.retain(|_, s| s.candidate);
    if standings.len() > CANDIDATES_MAX {
        let mut gains: Vec<(f64, Entity)> = standings
            .iter()
            .map(|(e, s)| (gain(groups, s), e.clone()))
            .collect();
        gains.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, entity) in gains.drain(CANDIDATES_MAX..) {
            standings.remove(&entity);
        }
    }
    standings
}

/// What was changed.
fn subject(graph: &Graph, change: &ChangeView<'_>) -> Entity {
    match change.subject {
        Some(node) => Entity::Node(graph.thing(node)),
        None => Entity::Named(change.name.into()),
    }
}

/// What cannot be without its coordination falls when that is gone: places that need it and fall in the same words, most of
/// all that need it. Then it probably brought them down. Callers of anything else may fall for reasons of their own, and so
/// may what was changed just before. Gives what it brought down, which says nothing of its own inside.
fn starve(
    graph: &Graph,
    standings: &mut BTreeMap<Entity, Standing>,
    groups: &[Group],
    symptoms: &[Symptom<'_>],
    changed: &BTreeSet<Entity>,
) -> BTreeSet<usize> {
    // By the words of what falls; nothing else is asked for them.
    let falls = |group: &Group| {
        let title = symptoms[group.example].title;
        (group.kind == AlertKind::State && group.breaks).then(|| model::template(title))
    };
    let words: Vec<Option<Text>> = groups.iter().map(falls).collect();
    let mut starved: BTreeSet<usize> = BTreeSet::new();
    for (entity, standing) in standings.iter_mut() {
        let coordinates = |node: &topology::NodeId| graph.kind(*node) == NodeKind::Coordination;
        let Some(node) = entity.node().filter(coordinates) else {
            continue;
        };
        let mut alike: BTreeMap<&Text, Vec<usize>> = BTreeMap::new();
        for (i, (g, link)) in standing.links.iter().enumerate() {
            if changed.contains(&groups[*g].site) {
                continue;
            }
            if let (Tie::Needed(1), Some(words)) = (link.tie, &words[*g]) {
                alike.entry(words).or_default().push(i);
            }
        }
        let enough =
            |links: &Vec<usize>| links.len() >= STARVED_MIN && 2 * links.len() > graph.needed_by(node).len();
        for i in alike.into_values().filter(enough).flatten() {
            let (g, link) = &mut standing.links[i];
            link.q = link.q.max(STARVED);
            starved.insert(*g);
        }
    }
    starved
}

/// Such places that went down and run on this; two that go down together name the machine.
fn residents_down(standing: &Standing, groups: &[Group], which: impl Fn(&Group) -> bool) -> usize {
    let down = standing
        .links
        .iter()
        .filter(|(g, link)| link.tie == Tie::Host && groups[*g].kind.is_down() && which(&groups[*g]));
    down.map(|(g, _)| &groups[*g].site).collect::<BTreeSet<_>>().len()
}

fn ends(call: Option<&Call>) -> impl Iterator<Item = Entity> {
    call.into_iter()
        .flat_map(|c| c.caller.iter().chain([&c.callee]))
        .cloned()
}

/// What is left of a change's weight at the first symptom; `None` when it came too long before or after.
fn change_strength(change: &ChangeView<'_>, first: Time) -> Option<f64> {
    let lead = first.since(change.at).as_secs_f64();
    (-CHANGE_AFTER_S..=CHANGE_MAX_S)
        .contains(&lead)
        .then(|| libm::exp2(-lead.max(0.0) / CHANGE_HALF_LIFE_S))
}

/// Log-likelihood that a candidate gains over explaining nothing. A wave of slow answers, of errors or of idleness runs
/// through many places, and each of them is there because the others are: of one kind, all of them together say little
/// more than one place can. What things say of their own inside are witnesses of their own, and what is not understood
/// may be of the inside.
fn gain(groups: &[Group], standing: &Standing) -> f64 {
    let mut alone = 0.0;
    let mut waves: BTreeMap<AlertKind, f64> = BTreeMap::new();
    for (g, link) in &standing.links {
        let group = &groups[*g];
        match wave(group.kind) {
            Some(wave) => *waves.entry(wave).or_default() += group.gain(link),
            None => alone += group.gain(link),
        }
    }
    alone + waves.into_values().map(heard).sum::<f64>()
}

/// The wave that symptoms of a kind are part of; `None` for what each place says for itself.
pub(super) fn wave(kind: AlertKind) -> Option<AlertKind> {
    match kind {
        AlertKind::Other => None,
        kind if kind.is_internal() => None,
        // The same slowness, heard at the other end of the call.
        AlertKind::Asking => Some(AlertKind::Latency),
        kind => Some(kind),
    }
}

/// What is left of the nats of a wave, together.
pub(super) fn heard(sum: f64) -> f64 {
    WAVE_MAX * (1.0 - libm::exp(-sum / WAVE_MAX))
}

impl Group {
    /// Log-likelihood that a root gains by this group when it lies to it like this.
    pub(super) fn gain(&self, link: &Link) -> f64 {
        self.nats(link.q)
    }

    /// The same for the probability with which it appears then.
    pub(super) fn nats(&self, q: f64) -> f64 {
        self.weight * libm::log((self.leak + (1.0 - self.leak) * q) / self.leak)
    }
}

/// All terms but what it explains and those of feedback.
fn bare(
    input: &CauseInput<'_>,
    history: &History,
    system: &str,
    sharpness: f64,
    entity: &Entity,
    standing: &Standing,
) -> f64 {
    let quiet = 1.0 - standing.loud;
    let foreign = entity.node().is_some_and(|n| input.graph.is_external(n));
    let silent = if standing.named && foreign {
        // Nobody of ours watches it, so that it is silent says nothing.
        0.0
    } else if standing.named || standing.change.is_some() {
        SILENT * quiet.min(SILENT_NAMED)
    } else {
        SILENT * quiet
    };
    let prior = if standing.direct {
        0.0
    } else {
        let known = entity.node().map(|n| input.graph.kind(n));
        known
            .or_else(|| kind_by_name(entity.name(input.graph)))
            .map_or(0.0, kind_prior)
    };
    let changed = standing.change.map_or(0.0, |(_, strength)| CHANGE * strength);
    let usual = USUAL * history.without(input.own).usual(system, entity.name(input.graph));
    // What speaks for a candidate and against it counts alike, or a silent neighbour of a lone alert would come first. What
    // it is was known before any of it.
    prior + sharpness * (OWN * standing.own + changed - silent - usual)
}

/// Softmax at each strength of feedback, mixed as the strengths are weighed; best first, ties to the smaller entity.
fn probabilities(
    input: &CauseInput<'_>,
    history: &History,
    system: &str,
    standings: &BTreeMap<Entity, Standing>,
    symptoms: &[Symptomatic],
) -> Vec<Scored> {
    let feedback = history.has_feedback(system);
    let likeness = if feedback {
        history.likeness(system, symptoms)
    } else {
        BTreeMap::new()
    };
    let most_alike = likeness.values().copied().fold(0.0, f64::max);
    let mut scored = Vec::with_capacity(standings.len());
    for (entity, standing) in standings {
        let name = entity.name(input.graph).clone();
        let mut at_strength = [standing.sum; STRENGTHS.len()];
        if feedback {
            let underrated = history.underrated(system, &name);
            let alike = likeness.get(&name).copied().unwrap_or(0.0);
            let memory = libm::log((alike + 1.0) / (most_alike + 1.0));
            for (s, (b, m, _)) in at_strength.iter_mut().zip(STRENGTHS) {
                *s += b * underrated + m * memory;
            }
        }
        scored.push(Scored {
            entity: entity.clone(),
            name,
            at_strength,
            probability: 0.0,
        });
    }
    for k in 0..STRENGTHS.len() {
        let top = scored.iter().map(|s| s.at_strength[k]).fold(f64::MIN, f64::max);
        let all: f64 = scored.iter().map(|s| libm::exp(s.at_strength[k] - top)).sum();
        for s in &mut scored {
            s.at_strength[k] = libm::exp(s.at_strength[k] - top) / all;
        }
    }
    let weights = history.strength_weights(system);
    for s in &mut scored {
        s.mix(&weights);
    }
    scored.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then_with(|| a.entity.cmp(&b.entity))
    });
    scored
}

/// Leaves the entity that was first so far in front of those that are ahead of it by next to nothing; says by how much.
fn keep_named(input: &CauseInput<'_>, written: &Written, scored: &mut [Scored]) -> Option<f64> {
    let named = input.named?;
    let at = scored
        .iter()
        .position(|s| written.name(&s.entity, input.graph) == named)
        .filter(|&at| at > 0)?;
    let ahead = scored[0].probability / scored[at].probability;
    (ahead <= 1.0 + EQUAL).then(|| {
        scored[..=at].rotate_right(1);
        ahead
    })
}

fn sites(
    input: &CauseInput<'_>,
    symptoms: &[Symptom<'_>],
    groups: &[Group],
    best: Option<&Standing>,
    root: Option<&Entity>,
) -> Vec<Site> {
    let mut sites: BTreeMap<&Entity, Site> = BTreeMap::new();
    for s in symptoms {
        let site = sites.entry(&s.site).or_insert_with(|| Site {
            entity: s.site.clone(),
            weight: 0.0,
            tie: (root == Some(&s.site)).then_some(Tie::Itself),
            severity: s.severity,
            first: s.first,
            alerts: 0,
            hosts: Vec::new(),
            grounds: Vec::new(),
            team: None,
        });
        site.team = site.team.take().or_else(|| team(s.labels));
        site.severity = site.severity.max(s.severity);
        site.first = site.first.min(s.first);
        site.alerts += s.alerts;
        site.hosts.extend(&s.hosts);
        site.grounds.extend(grounds(s.labels));
        site.grounds
            .extend(said_ground(s.title, s.text).map(|kind| (kind, SAID)));
    }
    for group in groups {
        if let Some(site) = sites.get_mut(&group.site) {
            site.weight += group.weight;
        }
    }
    for (g, link) in best.into_iter().flat_map(|b| &b.links) {
        if let Some(site) = sites.get_mut(&groups[*g].site) {
            // The strongest tie of a place is the one that says most.
            site.tie = Some(site.tie.map_or(link.tie, |tie| tie.min(link.tie)));
        }
    }
    let graph = input.graph;
    let mut sites: Vec<Site> = sites.into_values().collect();
    for site in &mut sites {
        site.hosts.sort_unstable();
        site.hosts.dedup();
        if let (true, Some(node)) = (site.hosts.is_empty(), site.entity.node()) {
            site.hosts.extend(graph.hosts(node));
        }
        for node in site.entity.node().into_iter().chain(site.hosts.iter().copied()) {
            site.grounds.extend(grounds(graph.labels(node)));
        }
        site.grounds
            .extend(site.hosts.iter().map(|&h| ("node", graph.id(h).clone())));
        // A machine is on itself.
        let machine = site.entity.node().filter(|&n| graph.kind(n) == NodeKind::Host);
        site.grounds
            .extend(machine.map(|h| ("node", graph.id(h).clone())));
        site.grounds.sort_unstable();
        site.grounds.dedup();
    }
    sites.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| a.entity.cmp(&b.entity))
    });
    sites
}

/// Kinds of ground that many things stand on, the most specific first.
pub(crate) const GROUNDS: [&str; 11] = [
    "node",
    "certificate",
    "version",
    "image",
    "rack",
    "zone",
    "availability_zone",
    "datacenter",
    "region",
    "dns",
    "cluster",
];

/// Stands for the name of a ground that only words tell of.
pub(crate) const SAID: Text = Text::const_new("as their alerts say");

/// The labels by which those who write rules say whose an alert is.
const TEAMS: [&str; 2] = ["team", "owner"];
/// The longest name of a team that is believed, in bytes.
const TEAM_MAX: usize = 128;

fn team(labels: &Labels) -> Option<Text> {
    let named = |kind: &&str| labels.get(kind).map(str::trim);
    let mut teams = TEAMS.iter().filter_map(named);
    teams
        .find(|team| !team.is_empty() && team.len() <= TEAM_MAX)
        .map(Text::from)
}

/// The grounds that labels name.
fn grounds(labels: &Labels) -> impl Iterator<Item = (&'static str, Text)> {
    GROUNDS
        .into_iter()
        .filter_map(|kind| Some((kind, labels.get(kind).filter(|v| !v.is_empty())?.into())))
}

impl Ranking {
    /// The first-ranked entity, changes left out.
    pub(crate) fn root(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|c| c.kind != CauseKind::Change)
    }

    /// How rare the rarest symptom of the incident is in its system: 1 never seen, towards 0 always there.
    pub(crate) fn rarest(&self) -> f64 {
        self.symptoms.iter().map(|s| s.rarity).fold(0.0, f64::max)
    }
}
