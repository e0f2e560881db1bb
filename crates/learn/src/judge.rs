//! Folds a labelled stream and says of each membership what it rested on and whether it was right.

use std::collections::{BTreeMap, BTreeSet};

use engine::{EpisodeId, Grounds, Output, Settings, Shard};
use model::Input;
use sim::score::{Truth, rights};

/// A labelled stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name, for tables.
    pub name: String,
    /// What is folded first: the parts of its topology.
    pub topology: Vec<Input>,
    /// Its events, in the order of arrival.
    pub events: Vec<Input>,
    /// What is true of each event.
    pub truth: Vec<Truth>,
}

/// A membership with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// What speaks for and against it.
    pub grounds: Grounds,
    /// The probability that the fold gave it.
    pub said: f64,
    /// Whether it was right.
    pub right: bool,
}

/// What a stream taught.
#[derive(Clone, Debug, Default)]
pub struct Study {
    /// One for each episode of an alert that is scored and in an incident, in the order of arrival.
    pub memberships: Vec<Labelled>,
    /// Alerts for which a scan of all open incidents finds one, and for how many its best is among the candidates.
    pub sought: u64,
    /// See `sought`.
    pub found: u64,
}

/// Folds a stream with its truth at hand.
pub fn study(stream: &Stream, settings: &Settings) -> Study {
    let mut shard = Shard::new(Settings {
        placements: true,
        oracle: true,
        last_records_only: true,
        ..settings.clone()
    });
    let mut out = Vec::new();
    let first = stream.topology.len() as u64;
    shard.step(&stream.topology, &mut out);
    shard.step(&stream.events, &mut out);
    sim::scenario::settle(&mut shard, None, &mut out);
    let books = shard.books();
    Study {
        memberships: memberships(&out, first, &stream.truth),
        sought: books.sought,
        found: books.found,
    }
}

/// Where an episode is by now.
#[derive(Clone, Default)]
struct Place {
    incident: Option<String>,
    said: Option<(f64, Grounds)>,
}

fn memberships(out: &[Output], first: u64, truth: &[Truth]) -> Vec<Labelled> {
    let mut places: BTreeMap<EpisodeId, Place> = BTreeMap::new();
    let mut of: BTreeMap<u64, EpisodeId> = BTreeMap::new();
    for output in out {
        match output {
            Output::Event {
                input,
                episode: Some(episode),
            } if *input >= first => {
                of.insert(*input - first, *episode);
            }
            Output::Episode {
                episode,
                incident,
                suppressed,
                probability,
                grounds,
                ..
            } => {
                let place = places.entry(*episode).or_default();
                place.incident = incident.filter(|_| suppressed.is_none()).map(|id| id.to_string());
                if let (Some(probability), Some(grounds)) = (probability, grounds) {
                    place.said = Some((*probability, **grounds));
                }
            }
            _ => {}
        }
    }
    let nowhere = Place::default();
    let mut heard: BTreeSet<EpisodeId> = BTreeSet::new();
    let mut pairs = Vec::new();
    let mut said = Vec::new();
    for (i, truth) in truth.iter().enumerate() {
        let episode = of.get(&(i as u64)).copied();
        let place = episode
            .and_then(|episode| places.get(&episode))
            .unwrap_or(&nowhere);
        // What an episode says counts once: on its first event.
        let first = episode.is_some_and(|episode| heard.insert(episode));
        let own = place.said.filter(|_| first);
        if truth.resolved || truth.ignore || truth.weak {
            continue;
        }
        pairs.push((truth.incident.as_deref(), place.incident.as_deref()));
        said.push(own);
    }
    rights(&pairs)
        .into_iter()
        .zip(said)
        .filter_map(|(right, said)| {
            let ((said, grounds), right) = (said?, right?);
            Some(Labelled { grounds, said, right })
        })
        .collect()
}
