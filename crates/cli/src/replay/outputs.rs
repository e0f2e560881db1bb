//! The files that `replay` writes. Changes are written as they come; of an incident only the last revision counts, so
//! it is held until it is forgotten or the input ends.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use engine::{Output, Shard};
use foldhash::{HashMap, HashMapExt};
use model::{CauseKind, Change, ChangeKind, Incident, IncidentId, Input, Time};
use serde::Serialize;

use crate::{
    fail::{Done, Failure},
    reduction::Suppressed,
};

use super::{
    Args,
    assignments::{Assignments, Line},
};

/// A file being written, or standard output for `-`.
pub(super) struct Sink {
    name: String,
    out: BufWriter<Box<dyn Write>>,
}

pub(super) struct Outputs {
    changes: Option<Sink>,
    incidents: Option<Sink>,
    causes: Option<Sink>,
    assignments: Option<(Assignments, Sink)>,
    /// Last revision of the incidents still remembered, in the order in which they appeared.
    last: Vec<Option<Box<Incident>>>,
    places: HashMap<IncidentId, usize>,
    delays: Delays,
}

/// How long after its first alert an incident was paged for the first time.
#[derive(Default)]
struct Delays {
    /// When each incident began, until it is paged.
    unpaged: HashMap<IncidentId, Time>,
    seconds: Vec<f64>,
}

impl Delays {
    fn change(&mut self, change: &Change) {
        match change.change {
            ChangeKind::Opened => drop(self.unpaged.insert(change.incident_id, change.at)),
            ChangeKind::PageDue => {
                let begun = self.unpaged.remove(&change.incident_id);
                self.seconds
                    .extend(begun.map(|at| change.at.since(at).as_secs_f64()));
            }
            _ => {}
        }
    }
}

#[derive(Serialize)]
struct Causes<'a> {
    incident_id: IncidentId,
    ranked: Vec<Ranked<'a>>,
}

#[derive(Serialize)]
struct Ranked<'a> {
    id: &'a str,
    score: f64,
}

impl Outputs {
    pub(super) fn create(args: &Args) -> Result<Outputs, Failure> {
        let sink = |name: &Option<String>| name.as_deref().map(Sink::create).transpose();
        Ok(Outputs {
            changes: sink(&args.changes)?,
            incidents: sink(&args.incidents)?,
            causes: sink(&args.causes)?,
            assignments: sink(&args.assignments)?.map(|sink| (Assignments::new(), sink)),
            last: Vec::new(),
            places: HashMap::new(),
            delays: Delays::default(),
        })
    }

    /// Takes what followed from a batch whose first input had the number `first`.
    pub(super) fn place(
        &mut self,
        first: u64,
        batch: &[Input],
        lines: &[Line],
        outs: &mut Vec<Output>,
    ) -> Done {
        if let Some((assignments, _)) = &mut self.assignments {
            assignments.begin(batch.len());
        }
        for output in outs.drain(..) {
            match output {
                Output::Change(change) => {
                    self.delays.change(&change);
                    if change.change == ChangeKind::Merged
                        && let Some(into) = change.to.as_ref().and_then(|to| to.parse().ok())
                        && let Some((assignments, _)) = &mut self.assignments
                    {
                        assignments.merged(change.incident_id, into, change.at);
                    }
                    if let Some(sink) = &mut self.changes {
                        sink.line(&wire::record::change(&change))?;
                    }
                }
                Output::Incident(incident) => self.incident(incident),
                Output::Forget(id) => {
                    self.delays.unpaged.remove(&id);
                    self.forget(id)?;
                }
                Output::Event { input, episode } => {
                    if let Some((assignments, _)) = &mut self.assignments {
                        let at = input
                            .checked_sub(first)
                            .expect("an event is placed in the step that folds it");
                        assignments.event(at as usize, episode);
                    }
                }
                Output::Episode {
                    episode,
                    incident,
                    suppressed,
                    at,
                    probability,
                    grounds: _,
                } => {
                    if let Some((assignments, _)) = &mut self.assignments {
                        assignments.episode(episode, incident, suppressed, at, probability);
                    }
                }
            }
        }
        match &mut self.assignments {
            Some((assignments, _)) => assignments.end(batch, lines),
            None => Ok(()),
        }
    }

    /// Writes what is left of a shard that gets no more inputs.
    pub(super) fn partition_ends(&mut self, shard: &Shard) -> Done {
        if !self.keeps_incidents() {
            return Ok(());
        }
        // The engine publishes small changes of an incident at most once a second; the last of them count here.
        for incident in shard.incidents() {
            self.incident(Box::new(incident));
        }
        for incident in std::mem::take(&mut self.last).into_iter().flatten() {
            self.write(&incident)?;
        }
        self.places.clear();
        Ok(())
    }

    /// Writes everything that had to wait for the end; gives the seconds from first alert to first page, and what was kept
    /// quiet where assignments tell.
    pub(super) fn finish(&mut self, shard: &Shard) -> Result<(Vec<f64>, Option<Suppressed>), Failure> {
        self.partition_ends(shard)?;
        for sink in [&mut self.changes, &mut self.incidents, &mut self.causes]
            .into_iter()
            .flatten()
        {
            sink.flush()?;
        }
        let mut kept = None;
        if let Some((assignments, mut sink)) = self.assignments.take() {
            let written = assignments.finish(&mut sink.out);
            kept = Some(written.map_err(|e| Failure::io(&sink.name, e))?);
            sink.flush()?;
        }
        Ok((std::mem::take(&mut self.delays.seconds), kept))
    }

    fn keeps_incidents(&self) -> bool {
        self.incidents.is_some() || self.causes.is_some()
    }

    fn incident(&mut self, incident: Box<Incident>) {
        if !self.keeps_incidents() {
            return;
        }
        let place = *self.places.entry(incident.incident_id).or_insert_with(|| {
            self.last.push(None);
            self.last.len() - 1
        });
        self.last[place] = Some(incident);
    }

    fn forget(&mut self, id: IncidentId) -> Done {
        let Some(place) = self.places.remove(&id) else {
            return Ok(());
        };
        match self.last[place].take() {
            Some(incident) => self.write(&incident),
            None => Ok(()),
        }
    }

    fn write(&mut self, incident: &Incident) -> Done {
        if let Some(sink) = &mut self.incidents {
            sink.line(&wire::record::incident(incident))?;
        }
        if let Some(sink) = &mut self.causes {
            let causes = incident.causes.iter().filter(|c| c.kind != CauseKind::Change);
            let ranked = causes
                .map(|c| Ranked {
                    id: &c.entity,
                    score: c.score,
                })
                .collect();
            let record = Causes {
                incident_id: incident.incident_id,
                ranked,
            };
            sink.line(&serde_json::to_vec(&record).expect("a record of text and numbers is JSON"))?;
        }
        Ok(())
    }
}

impl Sink {
    pub(super) fn create(name: &str) -> Result<Sink, Failure> {
        let out: Box<dyn Write> = match name {
            "-" => Box::new(io::stdout()),
            path => Box::new(File::create(path).map_err(|e| Failure::io(path, e))?),
        };
        Ok(Sink {
            name: name.to_owned(),
            out: BufWriter::with_capacity(256 << 10, out),
        })
    }
    pub(super) fn line(&mut self, bytes: &[u8]) -> Done {
        self.out
            .write_all(bytes)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|e| Failure::io(&self.name, e))
    }
    pub(super) fn flush(&mut self) -> Done {
        self.out.flush().map_err(|e| Failure::io(&self.name, e))
    }
}
