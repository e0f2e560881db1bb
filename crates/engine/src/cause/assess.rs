//! Cause, context class and owner of an incident, judged anew when its members changed and a record or page is due.

use std::collections::BTreeMap;

use model::{
    AlertId, Cause, CauseKind, ChangeKind, Context, ContextClass, Event, Evidence, EvidenceKind, IncidentId,
    Labels, Owner, Similar, Text, Time,
};
use topology::{Graph, NodeId, Resolution, as_written, unknown_copy};

use crate::{
    cause::{
        AlertView, CauseInput, ChangeView, Entity, History, Ranking,
        context::context,
        owner::{also_notify, owner},
        rank,
        written::Traced,
    },
    engine::{Engine, What},
    fold::Fold,
    grouping::verdict::name,
    state::{alert::Alert, incident::State},
};

/// Causes that a record names.
const CAUSES_MAX: usize = 5;
/// Of what waits for its settlement so many are asked whether they were announced for an incident, the newest.
const AHEAD_MAX: usize = 256;
/// Past incidents that a record names, and how alike they must be.
const SIMILAR_MAX: usize = 3;
const SIMILAR_MIN: f64 = 0.3;
/// Incidents of a system that must be known before one is called frequent, rare or new.
const RARITY_INCIDENTS_MIN: f64 = 5.0;

impl Engine {
    pub(crate) fn assess(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        if !state.unassessed {
            return;
        }
        self.assess_with(id, &[], fold);
    }

    /// Judges it with what was announced for it and is not settled yet: a page that can wait no longer must not call the
    /// wrong team because who knows better came last.
    pub(crate) fn assess_ahead(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        // Most were announced for others, which must not be looked up for each.
        let state = self.incidents.get(&id);
        let took_in = state.is_some_and(|state| !state.merged_from.is_empty());
        let is_of_it = |announced| announced == id || took_in && self.follow(announced) == id;
        let waiting = self.order.iter().rev().take(AHEAD_MAX);
        let mut ahead: Vec<(AlertId, Time)> = waiting
            .filter(|(_, waits)| waits.announced.is_some_and(is_of_it))
            .filter_map(|(number, waits)| Some((self.pending.get(number)?.alert, waits.t)))
            .collect();
        ahead.sort_unstable();
        ahead.dedup_by_key(|(alert, _)| *alert);
        if ahead.is_empty() {
            return self.assess(id, fold);
        }
        // It is judged anew when they are settled.
        self.assess_with(id, &ahead, fold);
    }

    fn assess_with(&mut self, id: IncidentId, ahead: &[(AlertId, Time)], fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let ranking = self.rank(id, state, ahead, fold);
        let owner = if state.background {
            nobody(state, fold)
        } else {
            owner(&ranking, fold.graph, &fold.settings.page.default_team)
        };
        let also = also_notify(&ranking, fold.graph, &owner);
        let class = if ranking.sites.is_empty() {
            alone_or_unclear(state)
        } else {
            context(&ranking, fold.graph)
        };
        let similar = self.similar(&ranking, id);
        let rarity = self.rarity(&ranking);
        let causes = causes(&ranking, CAUSES_MAX, |_| true);
        let changes = causes_of_kind_change(&ranking);
        let title = title(state, &ranking, fold.graph);
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.unassessed = false;
        state.assessed = (fold.time, state.alerts);
        let first = |causes: &[Cause]| causes.first().map(|c| c.entity.clone());
        let (cause_before, cause_now) = (first(&state.causes), first(&causes));
        let likely_before = state.cause_is_likely();
        let team_before = std::mem::replace(&mut state.owner, owner);
        let context_before = std::mem::replace(&mut state.context, class);
        state.also_notify = also;
        state.causes = causes;
        let becomes_likely = !likely_before && state.cause_is_likely();
        state.changes = changes;
        state.similar = similar;
        state.rarity = rarity;
        if !state.background && (cause_before != cause_now || state.title.is_empty()) {
            // Tickets and pagers know it by its title, so that stays as long as the cause does.
            state.title = title;
        }
        let known = state.revision > 1;
        let (class_now, class_because) = (state.context.class, state.context.because.clone());
        let cause_because = state
            .causes
            .first()
            .map(|c| c.because.clone())
            .unwrap_or_default();
        let (team_now, owner_because) = (state.owner.team.clone(), state.owner.because.clone());
        if !known {
            return;
        }
        if cause_before != cause_now && cause_before.is_some() {
            let what = What::new(ChangeKind::CauseChanged)
                .from(cause_before.unwrap_or_default())
                .to(cause_now.unwrap_or_default());
            self.change(id, what, cause_because, fold);
        }
        if context_before.class != class_now && context_before.confidence > 0.0 {
            let what = What::new(ChangeKind::ClassChanged)
                .from(class_word(context_before.class))
                .to(class_word(class_now));
            self.change(id, what, class_because, fold);
        }
        // Before it was assessed first it had no reason to be anybody's.
        if team_before.team != team_now && !team_before.because.is_empty() {
            let what = What::new(ChangeKind::OwnerChanged)
                .from(team_before.team)
                .to(team_now);
            self.change(id, what, owner_because, fold);
            self.consider_page(id, fold);
        } else if becomes_likely {
            self.consider_page(id, fold);
        }
    }

    /// Takes an incident into the history that later rankings rest on, once: when it is over, or has been quiet for as
    /// long as one that recovered must be. Many senders never say that something recovered, and what is there in every
    /// incident is known to be usual long before their incidents are given up.
    pub(crate) fn remember(&mut self, id: IncidentId, fold: &Fold<'_>) {
        if let Some(state) = self.incidents.get(&id)
            && !state.background
            && !self.history.knows(id)
        {
            let (ranking, opened) = (self.rank(id, state, &[], fold), state.opened_at);
            self.history.learn(id, opened, &ranking);
        }
    }

    /// Somebody says what the cause of an incident was: it is named as by a command, and the label `cause` names an entity.
    pub(crate) fn feedback(&mut self, event: &Event, fold: &mut Fold<'_>) {
        let said = |label: &str| event.labels.get(label).filter(|v| !v.is_empty());
        // By its id it may be one that is forgotten and was learned of; else it is named as for any other word.
        let by_id = said("incident_id").and_then(|id| id.parse::<IncidentId>().ok());
        let (Some(id), Some(cause)) = (by_id.or_else(|| self.incident_of(event)), said("cause")) else {
            return;
        };
        let entity = match fold.graph.name(cause).known() {
            Some(node) => fold.graph.id(fold.graph.thing(node)).clone(),
            None => cause.into(),
        };
        let id = self.follow(id);
        self.history.confirm(id, &entity);
        let who = said("actor").unwrap_or(&event.source);
        let because = vec![Evidence::new(
            EvidenceKind::Actor,
            1.0,
            format!("{who} says the cause was {entity}"),
        )];
        let what = What::new(ChangeKind::Note)
            .event(&event.event_id)
            .to(entity)
            .actor(who);
        self.change(id, what, because, fold);
    }

    /// `ahead`: alerts that are no members yet and count as if they were.
    fn rank(&self, id: IncidentId, state: &State, ahead: &[(AlertId, Time)], fold: &Fold<'_>) -> Ranking {
        if state.background {
            return Ranking::default();
        }
        let carriers = state.members.values().any(|m| !m.passive);
        let node = |n: Option<u32>| n.map(NodeId);
        let mut alerts: Vec<AlertView<'_>> = Vec::with_capacity(state.members.len());
        let ends = Ends::of(self, state, fold.graph);
        let traced = Traced::of(state.members.iter().filter_map(|(alert, member)| {
            let (alert, entity) = (self.alerts.get(alert)?, &member.face.entity);
            let unknown = fold.graph.find(entity).is_none();
            unknown.then(|| (entity.as_str(), written(alert, entity)))
        }));
        let foreign = self.behind_foreign_names(state, fold.graph);
        for (alert, member) in state.members.iter().filter(|(_, m)| !carriers || !m.passive) {
            let Some(alert) = self.alerts.get(alert) else {
                continue;
            };
            let spot = &alert.spot;
            let entity = &member.face.entity;
            // Nodes of an older topology are void; the name still holds.
            let current = spot.serial == fold.serial && *entity == spot.entity;
            let (subject, host, caller, callee) = if current {
                let own = node(spot.node).filter(|&n| fold.graph.id(n) == entity);
                (own, node(spot.host_node), node(spot.caller), node(spot.callee))
            } else {
                (fold.graph.find(entity), None, None, None)
            };
            let named = (entity.as_str(), written(alert, entity));
            let (name, written) = match subject {
                Some(_) => named,
                None => traced.name(named.0, named.1),
            };
            alerts.push(AlertView {
                subject,
                host,
                probably: foreign
                    .get(entity)
                    .map(|(thing, spelled)| (thing.as_str(), spelled.as_str())),
                caller: ends.of_call("caller", caller, &alert.labels),
                callee: ends.of_call("callee", callee, &alert.labels),
                as_host: as_host(alert, name),
                name,
                written,
                class: alert.class,
                title: &member.face.title,
                text: &alert.text,
                kind: alert.kind,
                severity: member.severity,
                labels: &alert.labels,
                events: member.count,
                first: member.first_at,
            });
        }
        for (alert, first) in ahead {
            if state.members.contains_key(alert) {
                continue;
            }
            let Some(alert) = self.alerts.get(alert).filter(|alert| alert.firing()) else {
                continue;
            };
            let spot = &alert.spot;
            alerts.push(AlertView {
                subject: node(spot.node),
                host: node(spot.host_node),
                probably: None,
                caller: ends.of_call("caller", node(spot.caller), &alert.labels),
                callee: ends.of_call("callee", node(spot.callee), &alert.labels),
                as_host: as_host(alert, &spot.entity),
                name: spot.entity.as_str(),
                written: written(alert, &spot.entity),
                class: alert.class,
                title: &alert.title,
                text: &alert.text,
                kind: alert.kind,
                severity: alert.severity,
                labels: &alert.labels,
                events: 1,
                first: *first,
            });
        }
        let named = state.causes.iter().find(|c| c.kind != CauseKind::Change);
        let named = named.map(|c| c.entity.as_str());
        let changes: Vec<ChangeView<'_>> = self
            .changes
            .iter()
            .map(|c| ChangeView {
                id: &c.event_id,
                title: &c.title,
                subject: fold.graph.find(&c.entity),
                name: &c.entity,
                at: c.at,
            })
            .collect();
        rank(
            &CauseInput {
                graph: fold.graph,
                alerts: &alerts,
                changes: &changes,
                named,
                own: Some(id),
            },
            &self.history,
        )
    }

    fn similar(&self, ranking: &Ranking, own: IncidentId) -> Vec<Similar> {
        self.history
            .similar(ranking, SIMILAR_MAX + 1, SIMILAR_MIN)
            .into_iter()
            .filter(|(past, _)| past.incident != own)
            .take(SIMILAR_MAX)
            .map(|(past, similarity)| Similar {
                incident_id: past.incident,
                similarity,
                opened_at: past.opened,
                cause: past.cause.clone(),
            })
            .collect()
    }

    /// How usual the rarest symptom is, once enough was seen to say so.
    fn rarity(&self, ranking: &Ranking) -> Option<Text> {
        if self.history.incidents(ranking) < RARITY_INCIDENTS_MIN {
            return None;
        }
        let word = match ranking.rarest() {
            r if r >= 0.999 => "never_seen",
            r if r >= 0.5 => "rare",
            _ => "frequent",
        };
        Some(Text::const_new(word))
    }
}

/// What the ends of calls mean that the topology does not know.
struct Ends<'a> {
    graph: &'a Graph,
    /// Whose copy each is, as alerts say that name both.
    copies: BTreeMap<&'a str, &'a Text>,
    history: &'a History,
}

/// Labels by which a copy of a service goes.
const COPIES: [&str; 3] = ["instance", "pod", "pod_name"];

/// An entity as the sender of an alert about it writes it.
pub(super) fn written<'a>(alert: &'a Alert, entity: &'a str) -> &'a str {
    let given = [&alert.service, &alert.host];
    as_written(entity, given.into_iter().flatten().map(Text::as_str))
}

/// Whether an alert that bears this name is about a host of it.
fn as_host(alert: &Alert, name: &str) -> bool {
    alert.service.is_none() || alert.host.as_deref() == Some(name)
}

impl<'a> Ends<'a> {
    fn of(engine: &'a Engine, state: &'a State, graph: &'a Graph) -> Ends<'a> {
        let mut copies = BTreeMap::new();
        for (alert, member) in &state.members {
            let Some(alert) = engine.alerts.get(alert) else {
                continue;
            };
            if alert.spot.known || alert.service.is_none() {
                continue;
            }
            for copy in COPIES.iter().filter_map(|label| alert.labels.get(label)) {
                copies.entry(copy).or_insert(&member.face.entity);
            }
        }
        Ends {
            graph,
            copies,
            history: &engine.history,
        }
    }

    /// One end: a node, or the name that the alert says. A name that could mean several is none of them.
    fn of_call(&self, label: &str, node: Option<NodeId>, labels: &Labels) -> Option<Entity> {
        if let Some(node) = node {
            return Some(Entity::Node(node));
        }
        let said = labels.get(label).filter(|said| !said.trim().is_empty())?;
        match self.graph.name(said) {
            Resolution::Known(node) => Some(Entity::Node(node)),
            Resolution::Ambiguous(_) => None,
            Resolution::Unknown => Some(Entity::Named(match self.copies.get(said) {
                Some(service) => (*service).clone(),
                None => self.numbered(unknown_copy(said, labels.get("namespace"))),
            })),
        }
    }

    /// `web2` is a copy of `web` where that is a thing by itself.
    fn numbered(&self, name: Text) -> Text {
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_copy = bare.len() < name.len()
            && bare.ends_with(|c: char| c.is_alphabetic())
            && (self.copies.values().any(|service| *service == bare) || self.history.ranked(bare));
        if is_copy { bare.into() } else { name }
    }
}

fn causes(ranking: &Ranking, most: usize, which: impl Fn(CauseKind) -> bool) -> Vec<Cause> {
    ranking
        .candidates
        .iter()
        .filter(|c| which(c.kind))
        .take(most)
        .zip(1..)
        .map(|(c, rank)| Cause {
            entity: c.name.clone(),
            kind: c.kind,
            score: c.score,
            rank,
            because: c.because.clone(),
        })
        .collect()
}

fn causes_of_kind_change(ranking: &Ranking) -> Vec<Cause> {
    causes(ranking, CAUSES_MAX, |kind| kind == CauseKind::Change)
}

/// Where no alert names anything, one alert is alone and several are unclear.
fn alone_or_unclear(state: &State) -> Context {
    let class = if state.members.len() <= 1 {
        ContextClass::Isolated
    } else {
        ContextClass::Unclear
    };
    let text = "its alerts name nothing".to_owned();
    Context {
        class,
        confidence: 0.5,
        because: vec![Evidence::new(EvidenceKind::Coverage, 0.0, text)],
    }
}

/// The list of what is too little to open an incident is nobody's.
fn nobody(state: &State, fold: &Fold<'_>) -> Owner {
    let text = format!(
        "nobody is paged for {}",
        state.places.first().map_or("it", |p| name(&p.entity))
    );
    Owner {
        team: fold.settings.page.default_team.as_str().into(),
        entity: None,
        because: vec![Evidence::new(EvidenceKind::Ownership, 0.0, text)],
    }
}

fn class_word(class: ContextClass) -> &'static str {
    match class {
        ContextClass::Isolated => "isolated",
        ContextClass::Cascading => "cascading",
        ContextClass::Systemic => "systemic",
        ContextClass::ThirdParty => "third_party",
        ContextClass::Unclear => "unclear",
    }
}

/// Says what and where: the worst, then first alert of the probable cause, else of the incident.
fn title(state: &State, ranking: &Ranking, graph: &Graph) -> String {
    let cause = ranking.root().map_or("", |c| c.entity.name(graph).as_str());
    let lead = state
        .members
        .iter()
        .filter(|(_, m)| !m.passive && m.face.entity == cause)
        .min_by_key(|(id, m)| (std::cmp::Reverse(m.severity), m.first_at, **id))
        .or_else(|| state.members.iter().min_by_key(|(id, m)| (m.first_at, **id)));
    match lead {
        Some((_, member)) if member.face.entity.is_empty() => member.face.title.to_string(),
        Some((_, member)) if member.face.entity != cause && !cause.is_empty() => {
            format!(
                "{} on {}, probably {cause}",
                member.face.title, member.face.entity
            )
        }
        Some((_, member)) => format!("{} on {}", member.face.title, member.face.entity),
        None => String::new(),
    }
}
