//! Cause, context class and owner of an incident, judged anew when its members changed and a record or page is due.

use model::{
    Cause, CauseKind, ChangeKind, Context, ContextClass, Evidence, EvidenceKind, IncidentId, Owner, Text,
    Time,
};
use topology::NodeId;

use crate::{
    engine::{Engine, What},
    fold::Fold,
    incident::State,
    settle::name,
};

const CAUSES_MAX: usize = 5;

impl Engine {
    pub(crate) fn assess(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        if !state.unassessed {
            return;
        }
        let causes = by_onset(state);
        let owner = owner(state, &causes, fold);
        let also = also_notify(state, &owner, fold);
        let title = title(state, &causes);
        let entities = state
            .members
            .values()
            .map(|m| &m.face.entity)
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        let class = if entities <= 1 {
            ContextClass::Isolated
        } else {
            ContextClass::Unclear
        };
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.unassessed = false;
        let first = |causes: &[Cause]| causes.first().map(|c| c.entity.clone());
        let (cause_before, cause_now) = (first(&state.causes), first(&causes));
        let team_before = std::mem::replace(&mut state.owner, owner);
        state.context = Context {
            class,
            confidence: 0.5,
            because: Vec::new(),
        };
        state.also_notify = also;
        state.causes = causes;
        if !state.background {
            state.title = title;
        }
        let known = state.revision > 1;
        let team_now = state.owner.team.clone();
        if known && cause_before != cause_now && cause_before.is_some() {
            let because = self
                .incidents
                .get(&id)
                .and_then(|s| s.causes.first())
                .map(|c| c.because.clone())
                .unwrap_or_default();
            let what = What::new(ChangeKind::CauseChanged)
                .from(cause_before.unwrap_or_default())
                .to(cause_now.unwrap_or_default());
            self.change(id, what, because, fold);
        }
        if known && team_before.team != team_now && team_before.entity.is_some() {
            let because = self
                .incidents
                .get(&id)
                .map(|s| s.owner.because.clone())
                .unwrap_or_default();
            let what = What::new(ChangeKind::OwnerChanged)
                .from(team_before.team)
                .to(team_now);
            self.change(id, what, because, fold);
            self.consider_page(id, fold);
        }
    }
}

/// Alerting entities by their first onset.
fn by_onset(state: &State) -> Vec<Cause> {
    let mut firsts: Vec<(Time, Text)> = Vec::new();
    for member in state.members.values().filter(|m| !m.passive) {
        match firsts
            .iter_mut()
            .find(|(_, entity)| *entity == member.face.entity)
        {
            Some((at, _)) => *at = (*at).min(member.first_at),
            None => firsts.push((member.first_at, member.face.entity.clone())),
        }
    }
    firsts.retain(|(_, entity)| !entity.is_empty());
    firsts.sort();
    let total: f64 = (1..=firsts.len()).map(|rank| 1.0 / rank as f64).sum();
    firsts
        .into_iter()
        .take(CAUSES_MAX)
        .enumerate()
        .map(|(i, (at, entity))| Cause {
            because: vec![Evidence::new(
                EvidenceKind::First,
                1.0,
                format!("alerted first at {at}"),
            )],
            entity,
            kind: CauseKind::Alerting,
            score: 1.0 / (i + 1) as f64 / total,
            rank: i as u32 + 1,
        })
        .collect()
}

fn owner(state: &State, causes: &[Cause], fold: &Fold<'_>) -> Owner {
    for cause in causes {
        let Some(owned) = fold
            .graph
            .find(&cause.entity)
            .and_then(|node| fold.graph.owner(node))
        else {
            continue;
        };
        let text = format!("{} owns {}", owned.team, fold.graph.id(owned.node));
        let because = vec![Evidence::new(
            EvidenceKind::Ownership,
            f64::from(owned.hops),
            text,
        )];
        return Owner {
            team: owned.team,
            entity: Some(cause.entity.clone()),
            because,
        };
    }
    let text = format!(
        "nobody is entered as owner of {}",
        state.places.first().map_or("it", |p| name(&p.entity))
    );
    let because = vec![Evidence::new(EvidenceKind::Ownership, 0.0, text)];
    Owner {
        team: fold.settings.page.default_team.as_str().into(),
        entity: None,
        because,
    }
}

fn also_notify(state: &State, owner: &Owner, fold: &Fold<'_>) -> Vec<Text> {
    let nodes = state.places.iter().filter_map(|place| place.node);
    let mut teams: Vec<Text> = nodes
        .filter_map(|node| fold.graph.owner(NodeId(node)))
        .map(|owned| owned.team)
        .filter(|team| *team != owner.team)
        .collect();
    teams.sort_unstable();
    teams.dedup();
    teams
}

/// Says what and where: the first alert of the probable cause.
fn title(state: &State, causes: &[Cause]) -> String {
    let cause = causes.first().map_or("", |c| c.entity.as_str());
    let lead = state
        .members
        .iter()
        .filter(|(_, m)| !m.passive && m.face.entity == cause)
        .min_by_key(|(id, m)| (std::cmp::Reverse(m.severity), m.first_at, **id))
        .or_else(|| state.members.iter().min_by_key(|(id, m)| (m.first_at, **id)));
    match lead {
        Some((_, member)) if member.face.entity.is_empty() => member.face.title.to_string(),
        Some((_, member)) => format!("{} on {}", member.face.title, member.face.entity),
        None => String::new(),
    }
}
