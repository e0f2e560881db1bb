//! `--assignments`: where every event ended up, as the engine believes in the end.
//!
//! An event is placed for good only when the input ends, because its episode may move until then. So the event ids wait
//! in a spool (in memory, beyond 64 MiB in an unnamed temporary file) with the number of their episode; only the
//! episodes themselves are held in memory. A line also says how long after the event's arrival its incident was named
//! for the last time and how often another one was named before, if that is not at once and never; and on the first event
//! of an episode how likely the membership is.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use engine::EpisodeId;
use foldhash::{HashMap, HashMapExt};
use model::{IncidentId, Input, Text, Time};
use serde::Serialize;
use tempfile::SpooledTempFile;

use crate::{
    fail::{Done, Failure},
    reduction::Suppressed,
};

const SPOOL_BYTES: usize = 64 << 20;

/// What a line of the input needs in the file.
pub(super) enum Line {
    /// The event at this place of the batch.
    Input(usize),
    /// No incident, for a reason.
    Null {
        /// Its id, if it has one.
        event_id: Option<Text>,
        /// Why.
        reason: &'static str,
    },
    /// No line.
    Nothing,
}

pub(super) struct Assignments {
    spool: BufWriter<SpooledTempFile>,
    /// Numbers of episodes, in the order in which they appeared.
    numbers: HashMap<EpisodeId, u32>,
    places: Vec<Place>,
    /// Episode of each input of the batch.
    batch: Vec<u32>,
}

#[derive(Clone, Default)]
struct Place {
    incident: Option<IncidentId>,
    suppressed: Option<Text>,
    /// Stream times at which the incident was named, newest last; all but the last were revoked.
    named: Vec<Time>,
    /// Of the membership, until a line has said it.
    probability: Option<f64>,
}

#[derive(Default, Serialize)]
struct Record<'a> {
    event_id: Option<&'a str>,
    incident_id: Option<IncidentId>,
    suppressed: Option<&'a str>,
    /// Seconds from the arrival of the event until its incident was named for the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_s: Option<f64>,
    /// Other incidents that were named before, after the event had arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    moves: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
}

/// The event concerns no alert.
const NO_EPISODE: u32 = u32::MAX;
/// A reason follows instead of an episode.
const REASON: u32 = u32::MAX - 1;
/// Length of an absent event id.
const NO_ID: u32 = u32::MAX;

impl Assignments {
    pub(super) fn new() -> Assignments {
        Assignments {
            spool: BufWriter::with_capacity(64 << 10, SpooledTempFile::new(SPOOL_BYTES)),
            numbers: HashMap::new(),
            places: Vec::new(),
            batch: Vec::new(),
        }
    }

    /// Starts on a batch of so many inputs.
    pub(super) fn begin(&mut self, inputs: usize) {
        self.batch.clear();
        self.batch.resize(inputs, NO_EPISODE);
    }

    /// The event at `at` of the batch belongs to an episode.
    pub(super) fn event(&mut self, at: usize, episode: Option<EpisodeId>) {
        if let Some(episode) = episode {
            self.batch[at] = self.number(episode);
        }
    }

    /// The episode belongs there by now.
    pub(super) fn episode(
        &mut self,
        episode: EpisodeId,
        incident: Option<IncidentId>,
        suppressed: Option<Text>,
        at: Time,
        probability: Option<f64>,
    ) {
        let number = self.number(episode) as usize;
        let place = &mut self.places[number];
        // Out of an incident is a change of it too; into the first one is none.
        if place.incident != incident {
            place.named.push(at);
        }
        place.incident = incident;
        place.suppressed = suppressed;
        place.probability = probability.or(place.probability).filter(|_| incident.is_some());
    }

    /// Everything of one incident belongs to another by now.
    pub(super) fn merged(&mut self, gone: IncidentId, into: IncidentId, at: Time) {
        for place in &mut self.places {
            if place.incident == Some(gone) {
                place.incident = Some(into);
                place.named.push(at);
            }
        }
    }

    /// Notes the lines of the batch.
    pub(super) fn end(&mut self, inputs: &[Input], lines: &[Line]) -> Done {
        for line in lines {
            match line {
                Line::Nothing => Ok(()),
                Line::Null { event_id, reason } => self
                    .write(event_id.as_deref(), REASON, Time::MIN)
                    .and_then(|()| write_text(&mut self.spool, Some(reason))),
                Line::Input(at) => match &inputs[*at] {
                    Input::Event(event) => {
                        self.write(Some(&event.event_id), self.batch[*at], event.received_at)
                    }
                    _ => Ok(()),
                },
            }
            .map_err(|e| Failure::io("temporary file", e))?;
        }
        Ok(())
    }

    /// Writes the file; gives how many events of alerts are kept quiet in the end, and of how many.
    pub(super) fn finish(self, out: &mut impl Write) -> io::Result<Suppressed> {
        let mut kept = Suppressed {
            what: "events",
            count: 0,
            of: 0,
            when: "in the end",
        };
        let Assignments {
            spool, mut places, ..
        } = self;
        let mut spool = spool.into_inner().map_err(|e| e.into_error())?;
        spool.rewind()?;
        let mut spool = BufReader::with_capacity(64 << 10, spool);
        let (mut id, mut reason) = (String::new(), String::new());
        while let Some(has_id) = read_text(&mut spool, &mut id)? {
            let event_id = has_id.then_some(id.as_str());
            let episode = read_number(&mut spool)?.expect("an episode follows every event id");
            let arrived = read_time(&mut spool)?;
            let record = match episode {
                NO_EPISODE => Record {
                    event_id,
                    incident_id: None,
                    suppressed: Some("not_an_alert"),
                    ..Record::default()
                },
                REASON => {
                    read_text(&mut spool, &mut reason)?;
                    Record {
                        event_id,
                        incident_id: None,
                        suppressed: Some(&reason),
                        ..Record::default()
                    }
                }
                episode => {
                    let place = &mut places[episode as usize];
                    let waited = place.named.last().map(|at| at.since(arrived).as_secs_f64());
                    let later = place.named.iter().filter(|at| **at > arrived).count();
                    // The first naming revokes nothing.
                    let first = usize::from(place.named.first().is_some_and(|at| *at > arrived));
                    Record {
                        event_id,
                        incident_id: place.incident,
                        settled_s: waited.filter(|s| *s > 0.0 && place.incident.is_some()),
                        moves: Some(later - first).filter(|n| *n > 0),
                        probability: place.probability.take(),
                        suppressed: place.suppressed.as_deref(),
                    }
                }
            };
            if episode < REASON {
                kept.of += 1;
                kept.count += u64::from(record.suppressed.is_some());
            }
            serde_json::to_writer(&mut *out, &record)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(kept)
    }

    fn number(&mut self, episode: EpisodeId) -> u32 {
        let places = &mut self.places;
        *self.numbers.entry(episode).or_insert_with(|| {
            places.push(Place::default());
            u32::try_from(places.len() - 1)
                .ok()
                .filter(|n| *n < REASON)
                .expect("fewer than 4 billion episodes")
        })
    }

    fn write(&mut self, event_id: Option<&str>, episode: u32, arrived: Time) -> io::Result<()> {
        write_text(&mut self.spool, event_id)?;
        self.spool.write_all(&episode.to_le_bytes())?;
        self.spool.write_all(&arrived.nanos().to_le_bytes())
    }
}

fn write_text(out: &mut impl Write, text: Option<&str>) -> io::Result<()> {
    let length = text.map_or(NO_ID, |t| {
        u32::try_from(t.len()).expect("a line is shorter than 4 GiB")
    });
    out.write_all(&length.to_le_bytes())?;
    out.write_all(text.unwrap_or_default().as_bytes())
}

/// `None` at the end; otherwise whether there is a text.
fn read_text(from: &mut impl Read, text: &mut String) -> io::Result<Option<bool>> {
    text.clear();
    let Some(length) = read_number(from)? else {
        return Ok(None);
    };
    if length == NO_ID {
        return Ok(Some(false));
    }
    from.take(u64::from(length)).read_to_string(text)?;
    Ok(Some(true))
}

fn read_time(from: &mut impl Read) -> io::Result<Time> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(Time::from_nanos(i64::from_le_bytes(bytes)))
}

fn read_number(from: &mut impl Read) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    match from.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u32::from_le_bytes(bytes))),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}
