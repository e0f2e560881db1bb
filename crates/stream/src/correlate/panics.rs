//! A panic inside the fold must not loop for ever on one record.
//!
//! The partition is restored, the batch folded record by record, and the one that panics is quarantined: a journal
//! record names its position (so that every replay of the journal leaves it out), a state row says the same to the next
//! restore, and the record goes to the dead letters. All of it is one transaction; then the worker starts over.

use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{Output, Shard};
use model::{Input, Text};

use super::{Correlate, Life, inputs, restore, row};
use crate::Step;
use crate::log::{LogError, LogErrorKind, Outgoing, Record, TopicPartition, Transaction};

/// Why the fold panicked, in its own words.
pub(super) struct Panicked(pub(super) String);

/// Folds a batch; after an error the shard is of no more use.
pub(super) fn step(
    step: Step,
    shard: &mut Shard,
    batch: &[Input],
    out: &mut Vec<Output>,
) -> Result<(), Panicked> {
    catch_unwind(AssertUnwindSafe(|| step(shard, batch, out))).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Panicked(text.unwrap_or_else(|| "panic without words".to_owned()))
    })
}

/// Longest reason that is recorded, in bytes.
const REASON_BYTES_MAX: usize = 500;

impl Correlate {
    /// Finds the record of `records` on which the fold panics and takes it out of every fold to come.
    pub(super) fn quarantine(
        &self,
        life: &mut Life,
        at: &TopicPartition,
        records: &[Record],
    ) -> Result<(), LogError> {
        let given = std::slice::from_ref(at);
        let restored = restore::restore(
            &self.settings,
            self.log.as_ref(),
            life.worker.as_mut(),
            given,
            &self.counters,
        )?;
        let mut restored = restored.into_iter().next().expect("one partition was asked for");
        let stands = restored.committed.unwrap_or(restored.next);
        // Between what was published and this batch lies what said nothing and was not committed yet.
        let first = records.first().map_or(restored.next, |record| record.offset);
        restore::go_on(
            &self.settings,
            self.log.as_ref(),
            at,
            &mut restored,
            first,
            &self.counters,
        )?;
        let mut dropped = Vec::new();
        for record in records {
            let one = inputs(
                std::slice::from_ref(record),
                &restored.quarantined,
                &self.counters,
            );
            if let Err(Panicked(reason)) = step(self.settings.step, &mut restored.shard, &one, &mut dropped) {
                return self.take_out(life, record, stands, &reason);
            }
            dropped.clear();
        }
        Err(LogError::new(
            LogErrorKind::Aborted,
            format_args!("{at}: the fold panicked, but not again on the same records"),
        ))
    }

    /// `stands`: where the group stands. It stays there, and is committed because positions are what fences a worker that
    /// stood still while another took its partition over: that one has quarantined the record already, or folded it.
    fn take_out(&self, life: &mut Life, record: &Record, stands: u64, reason: &str) -> Result<(), LogError> {
        let (offset, at) = (record.offset, &record.at);
        tracing::error!(partition = %at, offset, reason, "the fold panicked; the record is quarantined");
        let end = (0..=REASON_BYTES_MAX.min(reason.len()))
            .rev()
            .find(|end| reason.is_char_boundary(*end));
        let reason = &reason[..end.unwrap_or(0)];
        let topics = &self.settings.topics;
        let mut bytes = Vec::new();
        wire::journal::encode(
            &Input::Quarantine {
                offset,
                reason: Text::from(reason),
            },
            &mut bytes,
        );
        let key = format!("{}{offset}", row::QUARANTINE);
        let value = row::encode(&key, self.settings.fold_version, reason.as_bytes());
        let letter = Outgoing {
            topic: topics.deadletter.clone(),
            partition: None,
            timestamp: None,
            key: None,
            value: record.value.clone(),
            headers: Vec::new(),
        };
        let letter = letter
            .header("reason", format!("the fold panicked: {reason}"))
            .header("stage", "fold");
        let transaction = Transaction {
            records: vec![
                Outgoing::to(&topics.journal, at.partition, "", Some(bytes)),
                Outgoing::to(&topics.state, at.partition, key, Some(value)),
                letter.header("origin", format!("{at}@{offset}")),
            ],
            positions: vec![(at.clone(), stands)],
        };
        life.worker.commit(&transaction)?;
        self.counters.quarantined_inputs.add(1);
        self.counters.dead_letters.add(1);
        Ok(())
    }
}
