//! `--feedback-from`: what replay would have been like had somebody confirmed the true cause of every incident as soon
//! as it was over.
//!
//! The truth is never shown to the fold: only when an incident has ended, an event of kind `feedback` names the root of
//! the true incident that most of its events belong to, exactly as a sender could. What ended stays as it was ranked;
//! only later incidents can gain.

use std::collections::BTreeMap;

use engine::{EpisodeId, Output};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use model::{Change, ChangeKind, Event, EventKind, IncidentId, Input, Labels, Status, Text, Time};
use sim::score::{Keys, Truth};

use crate::{fail::Failure, truth};

/// Who confirms.
const SOURCE: &str = "replay";

/// The truth, and where its events are by now.
pub(super) struct Feedback {
    /// True incident of each labelled event that counts, as a number.
    true_of: HashMap<Text, u32>,
    numbers: BTreeMap<String, u32>,
    /// What began each true incident.
    roots: Vec<Text>,
    episodes: HashMap<EpisodeId, Episode>,
    incidents: HashMap<IncidentId, Vec<EpisodeId>>,
    confirmed: HashSet<IncidentId>,
}

#[derive(Default)]
struct Episode {
    incident: Option<IncidentId>,
    /// Its events by true incident.
    events: BTreeMap<u32, u64>,
}

impl Feedback {
    /// Reads the truth that `score --truth` reads.
    pub(super) fn read(file: &str) -> Result<Feedback, Failure> {
        let mut feedback = Feedback {
            true_of: HashMap::new(),
            numbers: BTreeMap::new(),
            roots: Vec::new(),
            episodes: HashMap::new(),
            incidents: HashMap::new(),
            confirmed: HashSet::new(),
        };
        for line in truth::read(file, &Keys::default())? {
            feedback.know(line);
        }
        Ok(feedback)
    }

    fn know(&mut self, line: Truth) {
        if line.resolved || line.ignore || line.weak {
            return;
        }
        let (Some(event), Some(incident), Some(root)) = (line.event_id, line.incident, line.root) else {
            return;
        };
        let number = *self.numbers.entry(incident).or_insert_with(|| {
            self.roots.push(root.into());
            u32::try_from(self.roots.len() - 1).expect("fewer than 4 billion true incidents")
        });
        self.true_of.insert(event.into(), number);
    }

    /// Takes what followed from a batch whose first input had the number `first`; gives what is to be said of it.
    pub(super) fn follow(&mut self, first: u64, batch: &[Input], outs: &[Output]) -> Vec<Input> {
        let mut said = Vec::new();
        for output in outs {
            match output {
                Output::Event {
                    input,
                    episode: Some(episode),
                } => {
                    let at = input.checked_sub(first).map(|at| &batch[at as usize]);
                    if let Some(Input::Event(event)) = at
                        && let Some(number) = self.true_of.get(&event.event_id)
                    {
                        let events = &mut self.episodes.entry(*episode).or_default().events;
                        *events.entry(*number).or_default() += 1;
                    }
                }
                Output::Episode {
                    episode, incident, ..
                } => self.place(*episode, *incident),
                Output::Change(change) if change.change == ChangeKind::Resolved => {
                    said.extend(self.confirm(change));
                }
                _ => {}
            }
        }
        said
    }

    fn place(&mut self, episode: EpisodeId, incident: Option<IncidentId>) {
        self.episodes.entry(episode).or_default().incident = incident;
        if let Some(incident) = incident {
            self.incidents.entry(incident).or_default().push(episode);
        }
    }

    /// The true cause of an incident that is over; `None` when nothing in it has one, or it was said before.
    fn confirm(&mut self, change: &Change) -> Option<Input> {
        let id = change.incident_id;
        let mut episodes = self.incidents.get(&id)?.clone();
        episodes.sort_unstable();
        episodes.dedup();
        let mut votes: BTreeMap<u32, u64> = BTreeMap::new();
        for episode in episodes {
            let episode = &self.episodes[&episode];
            if episode.incident == Some(id) {
                for (number, n) in &episode.events {
                    *votes.entry(*number).or_default() += n;
                }
            }
        }
        let (number, _) = votes
            .into_iter()
            .max_by_key(|(number, n)| (*n, std::cmp::Reverse(*number)))?;
        let root = &self.roots[number as usize];
        self.confirmed
            .insert(id)
            .then(|| Input::Event(Box::new(confirmation(change, root))))
    }
}

/// The event with which a sender would say it.
fn confirmation(change: &Change, root: &Text) -> Event {
    let mut labels = Labels::new();
    labels.set("incident_id", change.incident_id.to_string());
    labels.set("cause", root.clone());
    let id: Text = format!("feedback-{}", change.incident_id).into();
    let at: Time = change.at;
    Event {
        event_id: id.clone(),
        kind: EventKind::Feedback,
        source: Text::const_new(SOURCE),
        dedup_key: id,
        title: format!("the cause was {root}").into(),
        // A domain without an environment is called like its tenant, so this is the same one.
        tenant: Some(change.domain.as_str().into()),
        labels,
        ..Event::bare(Status::Info, at)
    }
}
