//! An alert of the story and the events that its tool sends about it.

use model::{Event, Hash128, Labels, Severity, Span, Status, Text, Time};

/// An alert that begins, repeats and ends; times in seconds after the beginning of the story.
#[derive(Clone, Copy, Debug)]
pub struct Raise {
    /// The tool that raises it.
    pub source: &'static str,
    /// What it is about, as the tool spells it.
    pub on: On,
    /// The title; `{n}` becomes a reading.
    pub title: &'static str,
    /// How bad.
    pub severity: Severity,
    /// When it begins.
    pub begins_s: i64,
    /// When it ends.
    pub ends_s: i64,
    /// Seconds between two repeats; 0 for none.
    pub repeat_s: i64,
    /// Readings begin here and rise by one with each repeat.
    pub reading: i64,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// A service.
    Service(&'static str),
    /// A host.
    Host(&'static str),
    /// A call from one service to another.
    Call(&'static str, &'static str),
}

impl Raise {
    /// Its events: firing, repeats, resolved.
    pub(super) fn events(&self, start: Time) -> Vec<Event> {
        let mut at: Vec<(i64, Status)> = vec![(self.begins_s, Status::Firing)];
        if self.repeat_s > 0 {
            let mut next = self.begins_s + self.repeat_s;
            while next < self.ends_s {
                at.push((next, Status::Firing));
                next += self.repeat_s;
            }
        }
        at.push((self.ends_s, Status::Resolved));
        at.iter()
            .zip(0..)
            .map(|(&(at_s, status), n)| self.event(start, at_s, status, n))
            .collect()
    }

    fn event(&self, start: Time, at_s: i64, status: Status, n: i64) -> Event {
        let ts = start + Span::from_secs(at_s);
        let (service, host, labels) = match self.on {
            On::Service(name) => (Some(name), None, Labels::new()),
            On::Host(name) => (None, Some(name), Labels::new()),
            On::Call(from, to) => (
                Some(from),
                None,
                [("caller", from), ("callee", to)].into_iter().collect(),
            ),
        };
        let place = service.or(host).unwrap_or_default();
        let key: Text = format!("{}:{place}:{}", self.source, self.title.replace("{n}", "N")).into();
        let id = Hash128::new("story")
            .part(key.as_bytes())
            .part(&at_s.to_le_bytes())
            .part(&[status as u8])
            .finish();
        let title = self.title.replace("{n}", &(self.reading + n).to_string());
        // Tools report a second or two late, each at its own pace.
        let delay_ms = 400 + (id % 1_700) as i64;
        Event {
            event_id: format!("{id:032x}").into(),
            source: self.source.into(),
            dedup_key: key,
            severity: self.severity,
            title: title.into(),
            starts_at: Some(start + Span::from_secs(self.begins_s)),
            ends_at: (status == Status::Resolved).then_some(ts),
            received_at: ts + Span::from_millis(delay_ms),
            service: service.map(Into::into),
            host: host.map(Into::into),
            labels,
            ..Event::bare(status, ts)
        }
    }
}
