//! What operators ask for: merge, split, move, and what always or never belongs together.
//!
//! A command is an event of kind `feedback` or `ack` with a label `action`, so it stands in the journal with who said it
//! and when, and a replay does the same. Incidents are named by their id or by the dedup key of one of their alerts; an id
//! that became part of another means that other. A command that cannot be carried out is counted, and said on the
//! incident that it names.
//!
//! | `action` | labels |
//! |---|---|
//! | `merge` | `incident_id`, `with`: another incident |
//! | `split` | `incident_id`, `alerts`: the alerts that go, by id or dedup key, separated by commas |
//! | `move` | `alert`: its id or dedup key, `to`: an incident |
//! | `always_together`, `never_together` | `a`, `b`: matchers; `bond_id`: a name of your own |
//! | `release` | `bond_id` |

use model::{AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, IncidentId};

use crate::{
    engine::{Engine, What},
    fold::Fold,
};

use super::Why;

impl Engine {
    /// Carries out what an event asks for; says whether it is one that asks for anything of this kind.
    pub(crate) fn command(&mut self, event: &Event, fold: &mut Fold<'_>) -> bool {
        let Some(action) = event
            .labels
            .get("action")
            .filter(|_| matches!(event.kind, EventKind::Feedback | EventKind::Ack))
        else {
            return false;
        };
        let who = event.labels.get("actor").unwrap_or(&event.source);
        let done = match action {
            "merge" => self.merge_said(event, who, fold),
            "split" => self.split_said(event, who, fold),
            "move" => self.move_said(event, who, fold),
            "always_together" => self.bond(
                event,
                &why(event, who, "these always belong together"),
                true,
                fold,
            ),
            "never_together" => self.bond(
                event,
                &why(event, who, "these never belong together"),
                false,
                fold,
            ),
            "release" => match self.release(event.labels.get("bond_id").unwrap_or_default()) {
                true => Ok(()),
                false => Err("there is no such bond".to_owned()),
            },
            _ => return false,
        };
        if let Err(reason) = done {
            self.meta.books.commands_refused += 1;
            if let Some(id) = self.incident_of(event) {
                let text = format!("{who} asked for {action}, which was not done: {reason}");
                let because = vec![Evidence::new(EvidenceKind::Actor, 0.0, text)];
                let what = What::new(ChangeKind::Note).event(&event.event_id).actor(who);
                self.change(id, what, because, fold);
            }
        }
        true
    }

    fn merge_said(&mut self, event: &Event, who: &str, fold: &mut Fold<'_>) -> Result<(), String> {
        let one = self.incident_of(event).ok_or("it names no incident")?;
        let other = event.labels.get("with").and_then(|said| self.incident_said(said));
        let other = other.ok_or("`with` names no incident")?;
        if one == other {
            return Err("they are one already".to_owned());
        }
        for (id, apart) in [(one, other), (other, one)] {
            if let Some(state) = self.incidents.get_mut(&id) {
                // Whoever merges what was parted before has changed their mind; a bond is released by its id.
                state.apart.remove(&apart);
            }
        }
        let (Some(a), Some(b)) = (self.incidents.get(&one), self.incidents.get(&other)) else {
            return Err("one of them is forgotten".to_owned());
        };
        if let Some(reason) = self.parted(a, (other, b)) {
            return Err(reason);
        }
        let why = why(event, who, "they are one");
        self.merge(one, other, &why, fold)
            .map(|_| ())
            .ok_or_else(|| "one of them is a background list".to_owned())
    }

    fn split_said(&mut self, event: &Event, who: &str, fold: &mut Fold<'_>) -> Result<(), String> {
        let said = event.labels.get("alerts").unwrap_or_default();
        let named = said.split(',').map(str::trim).filter(|key| !key.is_empty());
        let alerts: Vec<AlertId> = named.filter_map(|said| self.alert_said(said)).collect();
        let first = alerts.first().and_then(|alert| self.alerts.get(alert)?.incident);
        let id = self.incident_of(event).or(first).ok_or("`alerts` names none")?;
        let why = why(event, who, "they are another incident");
        let parted = self.split(id, &alerts, &why, fold);
        parted
            .map(|_| ())
            .ok_or_else(|| "it would leave one of the two empty, or it is over".to_owned())
    }

    fn move_said(&mut self, event: &Event, who: &str, fold: &mut Fold<'_>) -> Result<(), String> {
        let alert = event.labels.get("alert").and_then(|said| self.alert_said(said));
        let alert = alert.ok_or("`alert` names none")?;
        let to = event.labels.get("to").and_then(|said| self.incident_said(said));
        let to = to.ok_or("`to` names no incident")?;
        let why = why(event, who, "it belongs there");
        match self.move_alert(alert, to, &why, fold) {
            true => Ok(()),
            false => Err("it is there already, or one of the two is over".to_owned()),
        }
    }

    /// The incident that an event is about.
    pub(crate) fn incident_of(&self, event: &Event) -> Option<IncidentId> {
        let settled = |id: &IncidentId| self.incidents.get(id).is_some();
        self.named(event)
            .filter(settled)
            .or_else(|| self.incident_said(&event.dedup_key))
    }

    /// An incident by its id, or as the one of an alert.
    fn incident_said(&self, said: &str) -> Option<IncidentId> {
        let id = match said.parse::<IncidentId>() {
            Ok(id) => id,
            Err(_) => self.alerts.get(&self.alert_said(said)?)?.incident?,
        };
        self.incidents.get(&id).map(|_| self.follow(id))
    }

    /// An alert by its id or dedup key.
    fn alert_said(&self, said: &str) -> Option<AlertId> {
        let by_id = said
            .parse::<AlertId>()
            .ok()
            .filter(|id| self.alerts.get(id).is_some());
        by_id.or_else(|| {
            let id = AlertId::new(&self.domain, said);
            self.alerts.get(&id).map(|_| id)
        })
    }
}

fn why(event: &Event, who: &str, says: &str) -> Why {
    let text = match event.title.as_str() {
        "" => format!("{who} says that {says}"),
        title => format!("{who} says that {says}: {title}"),
    };
    Why {
        actor: who.into(),
        event: Some(event.event_id.clone()),
        because: vec![Evidence::new(EvidenceKind::Actor, 1.0, text)],
    }
}
