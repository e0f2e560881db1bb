//! Between requests and the log: one thread that appends what all requests have brought meanwhile, so that a hundred
//! requests share one acknowledgement of the log. What waits is bounded in bytes; a request waits a little for room
//! before it is refused, because some senders (Prometheus) do not send a refused batch again.
//!
//! Senders that are answered together come again together, though not at the same instant. So a group waits a moment for
//! as many requests as the one before it held: an acknowledgement costs most of what taking a request costs. A sender
//! that is alone waits for nobody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use stream::log::{Appender, LogError, LogErrorKind, Outgoing};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::answer::Refusal;

/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a group waits for requests as those of the group before it.
const GATHER: Duration = Duration::from_millis(1);
/// How often it looks whether they are there.
const LOOK: Duration = Duration::from_micros(100);
/// Bytes that one append carries, about.
const APPEND_BYTES: usize = 4 << 20;
/// What one record costs beside its bytes, so that empty ones are bounded too.
const RECORD_BYTES: usize = 128;

/// Takes records for the log.
#[derive(Clone)]
pub(crate) struct Accept {
    jobs: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
    bytes_max: usize,
}

struct Job {
    records: Vec<Outgoing>,
    bytes: usize,
    done: oneshot::Sender<Result<(), LogError>>,
    _room: OwnedSemaphorePermit,
}

impl Accept {
    /// Starts the thread; it ends when the last clone is gone.
    pub(crate) fn start(appender: Box<dyn Appender>, bytes_max: usize) -> std::io::Result<Accept> {
        let (jobs, taken) = mpsc::unbounded_channel();
        let bytes_max = bytes_max.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        std::thread::Builder::new()
            .name("http-accept".into())
            .spawn(move || append(appender.as_ref(), taken))?;
        Ok(Accept {
            jobs,
            room: Arc::new(Semaphore::new(bytes_max)),
            bytes_max,
        })
    }

    /// Returns when the log has the records.
    pub(crate) async fn append(&self, records: Vec<Outgoing>) -> Result<(), Refusal> {
        let bytes: usize = records.iter().map(|r| r.bytes() + RECORD_BYTES).sum();
        // One request alone always fits.
        let share = bytes.min(self.bytes_max) as u32;
        let room = tokio::time::timeout(PATIENCE, self.room.clone().acquire_many_owned(share)).await;
        let Ok(Ok(room)) = room else {
            let reason = format!("{} bytes are already waiting for the log", self.bytes_max);
            return Err(Refusal::later(StatusCode::TOO_MANY_REQUESTS, 5, reason));
        };
        let (done, outcome) = oneshot::channel();
        let gone = || Refusal::later(StatusCode::SERVICE_UNAVAILABLE, 5, "the server is stopping");
        self.jobs
            .send(Job {
                records,
                bytes,
                done,
                _room: room,
            })
            .map_err(|_| gone())?;
        match outcome.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == LogErrorKind::TooLarge => {
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))
            }
            Ok(Err(error)) => Err(Refusal::later(
                StatusCode::SERVICE_UNAVAILABLE,
                5,
                error.to_string(),
            )),
            Err(_) => Err(gone()),
        }
    }
}

fn append(appender: &dyn Appender, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut waiting = Vec::new();
    let mut expected = 1;
    while let Some(job) = jobs.blocking_recv() {
        gather(&jobs, expected);
        let mut bytes = job.bytes;
        let mut records = Vec::new();
        let mut next = Some(job);
        while let Some(mut job) = next.take() {
            records.append(&mut job.records);
            waiting.push(job);
            if bytes < APPEND_BYTES {
                next = jobs.try_recv().ok();
                bytes += next.as_ref().map_or(0, |job| job.bytes);
            }
        }
        expected = waiting.len();
        let outcome = appender.append(records);
        if let Err(error) = &outcome {
            tracing::warn!(%error, requests = waiting.len(), "the log did not take what was posted; senders are told to come again");
        }
        for job in waiting.drain(..) {
            // The sender may have gone; the record is in the log all the same.
            let _ = job.done.send(outcome.clone());
        }
    }
}

/// Waits until `expected` requests are there together with the one already taken, or [`GATHER`] is over.
fn gather(jobs: &mpsc::UnboundedReceiver<Job>, expected: usize) {
    let begun = Instant::now();
    while jobs.len() + 1 < expected && begun.elapsed() < GATHER {
        std::thread::sleep(LOOK);
    }
}
