//! The reasons of a ranking, in words and numbers.

use model::{Evidence, EvidenceKind, Text, Time};

use super::{
    CauseInput, ChangeView, Entity, History,
    blame::Tie,
    history::STRENGTHS,
    kind::AlertKind,
    rank::{Scored, Site, Standing, explains},
    symptoms::{Call, Group, Symptom},
    written::Written,
};
use crate::many::many;

/// Reasons given for one candidate, besides those of history.
const REASONS_MAX: usize = 3;
/// Below this rarity a candidate's own alerts are said to be usual: it counts as silent by more than half.
const USUAL_ALERTS: f64 = 0.5;

/// From this factor on it is said that a symptom comes more often than usual.
const OFTEN: f64 = 1.5;

/// What the sentences are about.
pub(super) struct Says<'a> {
    pub(super) input: &'a CauseInput<'a>,
    pub(super) written: &'a Written,
    pub(super) history: &'a History,
    pub(super) system: &'a str,
    pub(super) groups: &'a [Group],
    pub(super) symptoms: &'a [Symptom<'a>],
}

impl Says<'_> {
    /// Why this candidate.
    pub(super) fn of(&self, scored: &Scored, standing: &Standing) -> Vec<Evidence> {
        let mut because = Vec::new();
        let own_name = self.name(&scored.entity);
        let mut gains: Vec<(f64, usize)> = standing
            .links
            .iter()
            .enumerate()
            .map(|(i, (g, link))| (self.groups[*g].gain(link), i))
            .filter(|(gain, _)| *gain > 0.005)
            .collect();
        gains.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let more = gains.len().saturating_sub(REASONS_MAX);
        for &(gain, i) in gains.iter().take(REASONS_MAX) {
            let (g, link) = standing.links[i];
            let group = &self.groups[g];
            let place = self.place(group, &scored.entity, link.tie);
            let symptom = &self.symptoms[group.example];
            let text = format!(
                "{} ({}) {place}: probability {:.2} if {} is the cause, weight {:.2}{}",
                title(symptom.title),
                kind(group.kind),
                link.q,
                own_name,
                group.weight,
                often(symptom)
            );
            because.push(Evidence::new(EvidenceKind::Blame, gain, text));
        }
        if more > 0 {
            let rest: f64 = gains[REASONS_MAX..].iter().map(|(gain, _)| gain).sum();
            because.push(Evidence::new(
                EvidenceKind::Blame,
                rest,
                format!("and {} of symptoms", many(more as u64, "more kind")),
            ));
        }
        if standing.own > 0.0 {
            let text = format!("its own alerts speak of its inside, weight {:.2}", standing.own);
            because.push(Evidence::new(EvidenceKind::Blame, standing.own, text));
        }
        if !standing.alerts {
            let named = if standing.named {
                ", but alerts name it"
            } else {
                ""
            };
            because.push(Evidence::new(
                EvidenceKind::Entity,
                0.0,
                format!("raises no alert of its own{named}"),
            ));
        }
        if standing.alerts && standing.loud < USUAL_ALERTS {
            let rarity = standing.loud;
            let text = format!("its own alerts are usual: rarity {rarity:.2}, 1 was never seen");
            because.push(Evidence::new(EvidenceKind::Rarity, rarity, text));
        }
        if let Some((change, _)) = standing.change {
            because.push(self.change(&self.input.changes[change], own_name));
        }
        let times = self.history.confirmed(self.system, &scored.name);
        let trusted = 1.0 - self.history.strength_weights(self.system)[0];
        if times >= 0.5 && trusted > 0.05 {
            let with: f64 = scored.probability;
            let without = scored.at_strength[0];
            let text = format!(
                "confirmed as the cause of {times:.0} earlier incidents; with that {:.0} % instead of {:.0} %",
                100.0 * with,
                100.0 * without
            );
            because.push(Evidence::new(EvidenceKind::Rarity, times, text));
        }
        debug_assert_eq!(scored.at_strength.len(), STRENGTHS.len());
        because
    }

    /// How much of the evidence the first-ranked entity explains.
    pub(super) fn coverage(&self, coverage: f64, sites: &[Site]) -> Evidence {
        let explained = sites.iter().filter(|s| s.tie.is_some_and(explains)).count();
        let text = format!(
            "explains {explained} of {} places with alerts, {:.0} % of the evidence",
            sites.len(),
            100.0 * coverage
        );
        Evidence::new(EvidenceKind::Coverage, coverage, text)
    }

    /// Why it is first although others are as probable.
    pub(super) fn kept(&self, ahead: f64) -> Evidence {
        let text = format!(
            "was named before, and the next is as probable: {ahead:.3} times as much, which tells no two apart"
        );
        Evidence::new(EvidenceKind::Entity, ahead, text)
    }

    /// A change on an entity right before the first symptom.
    pub(super) fn change(&self, change: &ChangeView<'_>, entity: &Text) -> Evidence {
        let first = self.symptoms.iter().map(|s| s.first).min().unwrap_or(Time::MIN);
        let lead = first.since(change.at);
        let text = if lead.nanos() >= 0 {
            format!(
                "{} on {entity}, {lead} before the first alert",
                title(change.title)
            )
        } else {
            format!(
                "{} on {entity}, {} after the first alert",
                title(change.title),
                lead.abs()
            )
        };
        Evidence::new(EvidenceKind::Change, lead.as_secs_f64(), text)
    }

    fn name<'a>(&'a self, entity: &'a Entity) -> &'a Text {
        self.written.name(entity, self.input.graph)
    }

    /// Where a symptom is, as seen from the candidate.
    fn place(&self, group: &Group, entity: &Entity, tie: Tie) -> String {
        let call = |c: &Call| match c.caller.as_ref().filter(|&a| *a != c.callee) {
            Some(caller) => format!("on calls from {} to {}", self.name(caller), self.name(&c.callee)),
            None => format!("on calls to {}", self.name(&c.callee)),
        };
        let site = self.name(&group.site);
        match (tie, group.call.as_ref().filter(|_| group.kind.is_of_calls())) {
            (Tie::Needed(hops), Some(c)) => format!("{}, {} below the callee", call(c), many(hops, "hop")),
            (Tie::HostOfNeeded(hops), Some(c)) => {
                format!(
                    "{}, {} below which something runs on it",
                    call(c),
                    many(hops, "hop")
                )
            }
            (Tie::Host, Some(c)) => format!("{}, an end of which runs on it", call(c)),
            (_, Some(c)) => call(c),
            (Tie::Itself, None) => "of its own".to_owned(),
            (Tie::Needed(hops), None) => format!("on {site}, which depends on it over {}", many(hops, "hop")),
            (Tie::Needs(hops), None) => format!("on {site}, on which it depends over {}", many(hops, "hop")),
            (Tie::Host, None) => format!("on {site}, which runs on it"),
            (Tie::HostOfNeeded(hops), None) => {
                format!(
                    "on {site}, which depends over {} on what runs on it",
                    many(hops, "hop")
                )
            }
            (Tie::Resident, None) => format!("on {site}, on which it runs"),
            (Tie::Callee | Tie::Caller, None) => format!("on {site} beside {}", self.name(entity)),
        }
    }
}

/// What sort of symptom it is. The name of a kind is hashed, too, and so stays as it is.
fn kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Other => "kind unknown",
        known => known.as_str(),
    }
}

/// Said of what counts far more because it comes far more often than is usual.
fn often(symptom: &Symptom<'_>) -> String {
    if symptom.surprise < OFTEN {
        return String::new();
    }
    format!(
        ", for {} events {:.1} times as much",
        symptom.events, symptom.surprise
    )
}

/// A title short enough to stand in a sentence.
fn title(text: &str) -> String {
    const BYTES_MAX: usize = 80;
    let line = text.lines().next().unwrap_or("");
    if line.len() <= BYTES_MAX {
        return line.to_owned();
    }
    format!("{}…", &line[..line.floor_char_boundary(BYTES_MAX)])
}
