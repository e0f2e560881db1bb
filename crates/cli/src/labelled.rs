//! Labelled events: a file whose lines carry `_truth` beside what the sender said, or nothing but what the sender said.

use model::{Event, Input, Time};
use wire::{Decoder, Raw};

use crate::{fail::Failure, lines::each_line};

/// The event of each line, as the fold takes it and without its truth; `None` for a line that is no single event.
pub(crate) fn events(file: &str) -> Result<Vec<Option<Event>>, Failure> {
    let decoder = Decoder::default();
    let (mut events, mut found) = (Vec::new(), Vec::new());
    let (mut time, mut number) = (Time::MIN, 0);
    each_line(file, |line| -> Result<(), serde_json::Error> {
        number += 1;
        let mut value: serde_json::Value = serde_json::from_str(line)?;
        if let Some(fields) = value.as_object_mut() {
            fields.remove("_truth");
        }
        let bytes = value.to_string();
        found.clear();
        decoder.decode(&Raw::of_file(bytes.as_bytes(), file, number), &mut found);
        let only = (found.len() == 1).then(|| found.remove(0).into_input()).flatten();
        events.push(match only {
            Some(Input::Event(mut event)) => {
                time = time.max(event.received_at);
                wire::settle_times(&mut event, time);
                Some(*event)
            }
            _ => None,
        });
        Ok(())
    })?;
    Ok(events)
}
