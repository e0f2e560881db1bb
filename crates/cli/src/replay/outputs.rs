//! The files that `replay` writes. Changes are written as they come; of an incident only the last revision counts, so
//! it is held until it is forgotten or the input ends.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use engine::{Output, Shard};
use foldhash::{HashMap, HashMapExt};
use model::{CauseKind, ChangeKind, Incident, IncidentId, Input, Severity};
use serde::Serialize;

use crate::{
    fail::{Done, Failure},
    reduction::{Reduction, Suppressed},
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
    /// Of the last revisions.
    reduction: Reduction,
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
    /// `severity_min`: the mildest severity that pages.
    pub(super) fn create(args: &Args, severity_min: Severity) -> Result<Outputs, Failure> {
        let sink = |name: &Option<String>| name.as_deref().map(Sink::create).transpose();
        Ok(Outputs {
            changes: sink(&args.changes)?,
            incidents: sink(&args.incidents)?,
            causes: sink(&args.causes)?,
            assignments: sink(&args.assignments)?.map(|sink| (Assignments::new(), sink)),
            last: Vec::new(),
            places: HashMap::new(),
            reduction: Reduction::new(severity_min),
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
                Output::Forget(id) => self.forget(id)?,
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
        // The engine gives the last revision of what it forgets; of the rest they are these.
        for incident in shard.incidents() {
            self.incident(Box::new(incident));
        }
        for incident in std::mem::take(&mut self.last).into_iter().flatten() {
            self.write(&incident)?;
        }
        self.places.clear();
        Ok(())
    }

    /// Writes everything that had to wait for the end; gives the noise reduction of the incidents, and what was kept quiet
    /// where assignments tell.
    pub(super) fn finish(&mut self, shard: &Shard) -> Result<(Reduction, Option<Suppressed>), Failure> {
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
        Ok((std::mem::take(&mut self.reduction), kept))
    }

    fn keeps_incidents(&self) -> bool {
        self.incidents.is_some() || self.causes.is_some()
    }

    /// Takes the last revision of an incident: it comes once, when the engine forgets it or the input ends.
    fn incident(&mut self, incident: Box<Incident>) {
        self.reduction.add(&incident);
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
