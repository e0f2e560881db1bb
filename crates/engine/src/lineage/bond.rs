//! What an operator says of alerts once and for all: always together, or never together.
//!
//! A bond names two kinds of alerts by matchers. It holds before anything is scored: an alert of one side joins the open
//! incident that holds the other, or may not join it however strong the evidence. Where two bonds contradict each
//! other *never* wins, because a wrong merge can hide an outage and a wrong split costs a page. A bond holds from when it
//! is said, for the incidents that are open then too, until it is released by its id.

use model::{AlertId, Event, Evidence, EvidenceKind, IncidentId, Text};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Engine,
    fold::Fold,
    state::{alert::Alert, incident::State},
    suppress::matcher::Matchers,
};

use super::Why;

/// Two kinds of alerts that belong together, or apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bond {
    pub id: Text,
    pub together: bool,
    pub a: Matchers,
    pub b: Matchers,
    /// Who said so.
    pub by: Text,
    /// Open incidents that hold a side, newest last; kept for what belongs together only.
    pub live: Vec<IncidentId>,
}

/// Which sides of a bond an alert or an incident holds: 1 for `a`, 2 for `b`, 3 for both.
pub(crate) type Side = u8;
const A: Side = 1;
const B: Side = 2;

/// Bonds of a domain; one more is refused and counted. Each is matched with every alert that joins something.
const BONDS_MAX: usize = 256;
/// Incidents among which the other side is looked for.
const LIVE_MAX: usize = 8;

/// Whether one holds a side and the other one the opposite side.
fn opposite(one: Side, other: Side) -> bool {
    (one & A != 0 && other & B != 0) || (one & B != 0 && other & A != 0)
}

impl Bond {
    fn sides(&self, alert: &Alert, fold: &Fold<'_>) -> Side {
        // Nodes of an older topology are void.
        let graph = (alert.spot.serial == fold.serial).then_some(fold.graph);
        let side = |matchers: &Matchers, side| if matchers.hold(alert, graph) { side } else { 0 };
        side(&self.a, A) | side(&self.b, B)
    }
}

impl Engine {
    /// Says of a new bond what is wrong with it, or makes it hold.
    pub(super) fn bond(
        &mut self,
        event: &Event,
        why: &Why,
        together: bool,
        fold: &mut Fold<'_>,
    ) -> Result<(), String> {
        let read = |name: &str| {
            let said = event.labels.get(name).unwrap_or_default();
            Matchers::parse(said).map_err(|e| format!("`{name}`: {e}"))
        };
        let (a, b) = (read("a")?, read("b")?);
        let id = event
            .labels
            .get("bond_id")
            .map_or_else(|| event.event_id.clone(), Text::from);
        self.release(&id);
        if self.bonds.len() >= BONDS_MAX {
            return Err(format!("{BONDS_MAX} bonds hold already"));
        }
        self.meta.bonds += 1;
        let number = self.meta.bonds;
        let bond = Bond {
            id,
            together,
            a,
            b,
            by: why.actor.clone(),
            live: Vec::new(),
        };
        self.bonds.insert(number, bond);
        for id in self.open.clone() {
            let members = self.incidents.get(&id).map(|state| state.members.keys().copied());
            for alert in members.into_iter().flatten().collect::<Vec<_>>() {
                self.bind_to(number, id, alert, fold);
            }
        }
        if together {
            self.bring_together(number, why, fold);
        } else {
            self.part(number, why, fold);
        }
        Ok(())
    }

    /// A bond holds no more; says whether there was one.
    pub(super) fn release(&mut self, id: &str) -> bool {
        let known = self
            .bonds
            .keys()
            .into_iter()
            .find(|number| self.bonds.get(number).is_some_and(|bond| bond.id == id));
        known.is_some_and(|number| self.bonds.remove(&number).is_some())
    }

    /// Notes which sides of all bonds an incident holds with an alert.
    pub(crate) fn bind(&mut self, incident: IncidentId, alert: AlertId, fold: &Fold<'_>) {
        if self.bonds.len() > 0 {
            for number in self.bonds.keys() {
                self.bind_to(number, incident, alert, fold);
            }
        }
    }

    fn bind_to(&mut self, number: u64, incident: IncidentId, alert: AlertId, fold: &Fold<'_>) {
        let (Some(bond), Some(alert)) = (self.bonds.get(&number), self.alerts.get(&alert)) else {
            return;
        };
        let (sides, together) = (bond.sides(alert, fold), bond.together);
        if sides == 0 {
            return;
        }
        if let Some(state) = self.incidents.get_mut(&incident) {
            *state.bonds.entry(number).or_default() |= sides;
        }
        if !together || bond.live.last() == Some(&incident) {
            return;
        }
        let open = |id: &IncidentId| *id != incident && self.open.contains(id);
        let mut live: Vec<IncidentId> = bond.live.iter().copied().filter(open).collect();
        live.push(incident);
        let surplus = live.len().saturating_sub(LIVE_MAX);
        live.drain(..surplus);
        self.bonds.get_mut(&number).expect("looked up above").live = live;
    }

    /// Who said that this alert never belongs into that incident.
    pub(crate) fn kept_apart(
        &self,
        id: IncidentId,
        state: &State,
        alert: &Alert,
        fold: &Fold<'_>,
    ) -> Option<&Bond> {
        if alert.incident == Some(id) {
            return None;
        }
        state.bonds.iter().find_map(|(number, held)| {
            let bond = self.bonds.get(number).filter(|bond| !bond.together)?;
            opposite(bond.sides(alert, fold), *held).then_some(bond)
        })
    }

    /// The open incident that holds what this alert always belongs with, and who said so.
    pub(crate) fn bound(&self, alert: &Alert, fold: &Fold<'_>) -> Option<(IncidentId, &Bond)> {
        if self.bonds.len() == 0 {
            return None;
        }
        self.bonds.keys().into_iter().find_map(|number| {
            let bond = self.bonds.get(&number).filter(|bond| bond.together)?;
            let own = bond.sides(alert, fold);
            let holds = |id: &&IncidentId| {
                self.incidents.get(id).is_some_and(|state| {
                    state.is_open()
                        && state.bonds.get(&number).is_some_and(|held| opposite(own, *held))
                        && self.kept_apart(**id, state, alert, fold).is_none()
                })
            };
            let id = bond.live.iter().rev().find(holds)?;
            Some((*id, self.bonds.get(&number)?))
        })
    }

    /// The open incident into which an operator put this alert, and who that was.
    pub(crate) fn pinned(&self, id: AlertId) -> Option<(IncidentId, &Text)> {
        let alert = self.alerts.get(&id)?;
        alert
            .incident
            .iter()
            .chain(alert.past.iter().rev())
            .find_map(|incident| {
                let state = self.incidents.get(incident).filter(|state| state.is_open())?;
                Some((*incident, state.pinned.get(&id)?))
            })
    }

    /// Whether an operator has parted these two, or never wants them together; says who.
    pub(crate) fn parted(&self, one: &State, other: (IncidentId, &State)) -> Option<String> {
        let by_bond = one.bonds.iter().find_map(|(number, held)| {
            let bond = self.bonds.get(number).filter(|bond| !bond.together)?;
            opposite(*held, *other.1.bonds.get(number)?).then(|| format!("{} says never together", bond.by))
        });
        by_bond.or_else(|| {
            one.apart
                .contains(&other.0)
                .then(|| "an operator parted them".to_owned())
        })
    }

    /// What always belongs together and is open becomes one.
    fn bring_together(&mut self, number: u64, why: &Why, fold: &mut Fold<'_>) {
        let Some(bond) = self.bonds.get(&number) else {
            return;
        };
        let live = bond.live.clone();
        let held = |id: &IncidentId| {
            self.incidents
                .get(id)
                .and_then(|state| state.bonds.get(&number))
                .copied()
                .unwrap_or(0)
        };
        if live.iter().fold(0, |sides, id| sides | held(id)) != A | B {
            return;
        }
        let mut whole = live[0];
        for id in &live[1..] {
            let id = self.follow(*id);
            let parted = |a: &State, b: &State| self.parted(a, (id, b)).is_some();
            if let (Some(one), Some(other)) = (self.incidents.get(&whole), self.incidents.get(&id))
                && !parted(one, other)
            {
                whole = self.merge(whole, id, why, fold).unwrap_or(whole);
            }
        }
    }

    /// What never belongs together and stands in one open incident is parted.
    fn part(&mut self, number: u64, why: &Why, fold: &mut Fold<'_>) {
        for id in self.open.clone() {
            let Some(state) = self
                .incidents
                .get(&id)
                .filter(|s| s.bonds.get(&number) == Some(&(A | B)))
            else {
                continue;
            };
            let Some(bond) = self.bonds.get(&number) else {
                return;
            };
            let of_b_alone = |alert: &AlertId| {
                self.alerts
                    .get(alert)
                    .is_some_and(|alert| bond.sides(alert, fold) == B)
            };
            let going: Vec<AlertId> = state.members.keys().copied().filter(of_b_alone).collect();
            if self.split(id, &going, why, fold).is_some()
                && let Some(state) = self.incidents.get_mut(&id)
            {
                state.bonds.insert(number, A);
            }
        }
    }
}

/// That an operator's word keeps an alert out of, or in, an incident.
pub(crate) fn said_by(by: &str, text: &str) -> Evidence {
    Evidence::new(EvidenceKind::Actor, 1.0, format!("{by} says {text}"))
}
