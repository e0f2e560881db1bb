//! Lines become inputs, inputs go into the shard in batches.
//!
//! `received_at` of a line is the running maximum over the file of its own `received_at`, or else its `ts`: a file has
//! no other record of when a log took the line.

use engine::{Books, Output, Settings, Shard};
use model::{Input, Span, Text, Time, TopologyPart};
use wire::{DecodeSettings, Decoder, Found, Raw, Rejection, Stage};

use crate::{
    fail::{Done, Failure},
    lines::LINE_BYTES_MAX,
};

use super::{assignments::Line, feedback::Feedback, outputs::Outputs, refused::Refused, sum};

/// Inputs folded in one step; large enough to share the cost of a step, small enough to stay in the cache.
const BATCH: usize = 512;

pub(super) struct Feed {
    settings: Settings,
    shard: Shard,
    decoder: Decoder,
    source: Option<String>,
    found: Vec<Found>,
    batch: Vec<Input>,
    /// What each line of the batch needs in `--assignments`; empty when that is not asked for.
    placed: Vec<Line>,
    outs: Vec<Output>,
    /// Inputs given to the shard so far.
    inputs: u64,
    /// Running maximum of `received_at`.
    time: Time,
    lines: u64,
    /// Books of partitions that are done.
    closed: Books,
    /// Confirms the cause of what is over.
    feedback: Option<Feedback>,
}

impl Feed {
    pub(super) fn new(
        settings: Settings,
        decode: DecodeSettings,
        source: Option<String>,
        feedback: Option<Feedback>,
    ) -> Feed {
        Feed {
            shard: Shard::new(settings.clone()),
            settings,
            decoder: Decoder::new(decode),
            source,
            found: Vec::new(),
            batch: Vec::with_capacity(BATCH + 64),
            placed: Vec::new(),
            outs: Vec::new(),
            inputs: 0,
            time: Time::MIN,
            lines: 0,
            closed: Books::default(),
            feedback,
        }
    }

    /// Puts a topology in force.
    pub(super) fn topology(&mut self, parts: &[TopologyPart]) {
        self.batch.extend(parts.iter().cloned().map(Input::TopologyPart));
    }

    /// One line of a file of events.
    pub(super) fn line(&mut self, file: &str, number: u64, bytes: &[u8], refused: &mut Refused) -> Done {
        self.lines += 1;
        let raw = Raw {
            source: self.source.as_deref(),
            ..Raw::of_file(bytes, file, number)
        };
        self.found.clear();
        self.decoder.decode(&raw, &mut self.found);
        for found in self.found.drain(..) {
            let line = match &found {
                Found::Alert(_) => Line::Input(self.batch.len()),
                Found::Topology(_) => Line::Nothing,
                Found::Other { kind, event } => match event {
                    Some(event) => Line::Null {
                        event_id: Some(event.event_id.clone()),
                        reason: kind.as_str(),
                    },
                    None => Line::Null {
                        event_id: None,
                        reason: kind.as_str(),
                    },
                },
                Found::Rejected(rejection) => {
                    refused.add(file, number, bytes, rejection)?;
                    Line::Null {
                        event_id: peek_event_id(bytes),
                        reason: "rejected",
                    }
                }
            };
            if self.settings.placements {
                self.placed.push(line);
            }
            if let Some(mut input) = found.into_input() {
                if let Input::Event(event) = &mut input {
                    self.time = self.time.max(event.received_at);
                    wire::settle_times(event, self.time);
                }
                self.batch.push(input);
            }
        }
        Ok(())
    }

    /// A line that is too long to be looked at.
    pub(super) fn overlong(&mut self, file: &str, number: u64, head: &[u8], refused: &mut Refused) -> Done {
        self.lines += 1;
        let rejection = Rejection {
            reason: format!("the line is longer than {LINE_BYTES_MAX} bytes"),
            stage: Stage::Frame,
            path: None,
            offset: None,
            source: None,
        };
        if self.settings.placements {
            self.placed.push(Line::Null {
                event_id: None,
                reason: "rejected",
            });
        }
        refused.add(file, number, &head[..head.len().min(1024)], &rejection)
    }

    /// One record of a recorded journal. A journal is ours, so a record that cannot be read is a failure.
    pub(super) fn journal(&mut self, file: &str, number: u64, bytes: &[u8]) -> Done {
        self.lines += 1;
        let input = wire::journal::decode(bytes)
            .map_err(|e| Failure::Wrong(format!("{file}:{number}: not a record of a journal: {e}")))?;
        if self.settings.placements && matches!(input, Input::Event(_)) {
            self.placed.push(Line::Input(self.batch.len()));
        }
        self.batch.push(input);
        Ok(())
    }

    /// Whether a batch is worth folding.
    pub(super) fn is_full(&self) -> bool {
        // What is said of an incident that is over has to come before the next event.
        let batch = if self.feedback.is_some() { 1 } else { BATCH };
        self.batch.len() >= batch || self.placed.len() >= 4 * BATCH
    }

    /// Folds what is waiting.
    pub(super) fn flush(&mut self, outputs: &mut Outputs) -> Done {
        self.shard.step(&self.batch, &mut self.outs);
        let said = self.said();
        outputs.place(self.inputs, &self.batch, &self.placed, &mut self.outs)?;
        self.inputs += self.batch.len() as u64;
        self.batch.clear();
        self.placed.clear();
        // It waits for the next line, or for the end.
        self.batch.extend(said);
        Ok(())
    }

    /// What is said of incidents that ended just now.
    fn said(&mut self) -> Vec<Input> {
        match &mut self.feedback {
            Some(feedback) => feedback.follow(self.inputs, &self.batch, &self.outs),
            None => Vec::new(),
        }
    }

    /// Lets stream time run on, deadline by deadline, until none is left within `span`.
    pub(super) fn settle(&mut self, span: Span, outputs: &mut Outputs) -> Done {
        if self.shard.stream_time() == Time::MIN {
            return Ok(());
        }
        let end = self.shard.stream_time() + span;
        let mut last = Time::MIN;
        while let Some(deadline) = self.shard.next_deadline().filter(|d| *d <= end) {
            // A deadline that is not behind us after its time came would keep us here for ever.
            assert!(deadline > last, "the fold left a deadline at {deadline} standing");
            last = deadline.max(self.shard.stream_time());
            self.shard.progress(last, &mut self.outs);
            let said = self.said();
            outputs.place(self.inputs, &[], &[], &mut self.outs)?;
            self.batch.extend(said);
            if !self.batch.is_empty() {
                self.flush(outputs)?;
            }
        }
        Ok(())
    }

    /// Starts on the journal of another partition.
    pub(super) fn next_partition(&mut self, outputs: &mut Outputs) -> Done {
        self.flush(outputs)?;
        outputs.partition_ends(&self.shard)?;
        self.closed = sum(self.closed, &self.shard);
        self.shard = Shard::new(self.settings.clone());
        self.inputs = 0;
        Ok(())
    }

    pub(super) fn shard(&self) -> &Shard {
        &self.shard
    }
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }
    pub(super) fn books(&self) -> Books {
        sum(self.closed, &self.shard)
    }
}

/// The event id of a line that was refused, so that its sender finds it again in the assignments.
fn peek_event_id(bytes: &[u8]) -> Option<Text> {
    #[derive(serde::Deserialize)]
    struct Peek {
        event_id: Text,
    }
    serde_json::from_slice::<Peek>(bytes).ok().map(|p| p.event_id)
}
