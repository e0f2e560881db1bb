//! What goes into the decoder and what comes out of it.

use model::{Event, EventKind, Input, Origin, Text, Time, TopologyChange};

/// Bytes as a sender posted them, with what is known about their way here.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    /// The body; gzip and zstd are told by their first bytes and undone within the limit.
    pub bytes: &'a [u8],
    /// The source, when the topic, a header or the HTTP path names it; `None` lets the shape decide.
    pub source: Option<&'a str>,
    /// The content type, when the transport names it. JSON is read whatever it says; a form that is not read (Protobuf,
    /// Avro, XML) is refused by its name.
    pub content_type: Option<&'a str>,
    /// Attributes of a CloudEvent in binary mode, whose data is the body: names without `ce-` and `ce_`. Empty: none.
    pub cloud_event: Vec<(&'a str, &'a str)>,
    /// Whose it is, when the transport says; a body cannot say otherwise.
    pub tenant: Option<&'a str>,
    /// Where the body came from; `index` is counted up within it.
    pub origin: Origin,
    /// When the record entered a log; `None` lets the line's own `received_at`, else its `ts`, decide.
    pub received_at: Option<Time>,
}

/// One thing found in a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A condition that fires or resolves, or somebody's acknowledgement of one.
    Alert(Box<Event>),
    /// Something else that is understood.
    Other {
        /// What it is.
        kind: OtherKind,
        /// The same as an event, when it names enough for one.
        event: Option<Box<Event>>,
    },
    /// A change of the topology.
    Topology(Box<TopologyChange>),
    /// Bytes that were refused, and why.
    Rejected(Rejection),
}

/// What a thing is that is no alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OtherKind {
    /// A sender asks to be confirmed.
    Handshake,
    /// A person pressed a sender's test button.
    Test,
    /// The sender lives.
    Heartbeat,
    /// A deploy, a configuration change, a feature flag.
    Change,
    /// Planned work.
    Maintenance,
    /// Somebody asked for quiet.
    Silence,
    /// Somebody confirmed or refuted what the engine believed.
    Feedback,
    /// Something to read that neither fires nor resolves: a notice, a comment, a status page that is all green.
    Notice,
}

/// Where on its way a body was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The bytes as such: empty, too large, compressed, no UTF-8, a framing that is not understood.
    Frame,
    /// The syntax.
    Parse,
    /// No source was recognised.
    Detect,
    /// A source was recognised, but a field that it needs is missing or of another kind.
    Read,
}

/// Why something was refused. The reason speaks to the operator of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// In words, with the numbers.
    pub reason: String,
    /// Where on its way.
    pub stage: Stage,
    /// The field, as a dotted path.
    pub path: Option<String>,
    /// The byte in the body.
    pub offset: Option<u64>,
    /// The source, when it was recognised.
    pub source: Option<Text>,
}

impl Found {
    /// What the fold must see of it: alerts, acknowledgements and everything else that an incident may depend on.
    pub fn into_input(self) -> Option<Input> {
        match self {
            Found::Alert(event) => Some(Input::Event(event)),
            Found::Other {
                event: Some(event), ..
            } => match event.kind {
                EventKind::Alert | EventKind::Topology => None,
                EventKind::Change
                | EventKind::Ack
                | EventKind::Feedback
                | EventKind::Silence
                | EventKind::Maintenance
                | EventKind::Heartbeat => Some(Input::Event(event)),
            },
            Found::Topology(change) => Some(Input::TopologyChange(change)),
            Found::Other { event: None, .. } | Found::Rejected(_) => None,
        }
    }
}

impl OtherKind {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            OtherKind::Handshake => "handshake",
            OtherKind::Test => "test",
            OtherKind::Heartbeat => "heartbeat",
            OtherKind::Change => "change",
            OtherKind::Maintenance => "maintenance",
            OtherKind::Silence => "silence",
            OtherKind::Feedback => "feedback",
            OtherKind::Notice => "notice",
        }
    }
}

impl Stage {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Frame => "frame",
            Stage::Parse => "parse",
            Stage::Detect => "detect",
            Stage::Read => "read",
        }
    }
}

impl Rejection {
    pub(crate) fn new(stage: Stage, reason: impl Into<String>) -> Rejection {
        Rejection {
            reason: reason.into(),
            stage,
            path: None,
            offset: None,
            source: None,
        }
    }
    pub(crate) fn at(mut self, offset: usize) -> Rejection {
        self.offset = Some(offset as u64);
        self
    }
    pub(crate) fn path(mut self, path: impl Into<String>) -> Rejection {
        self.path = Some(path.into());
        self
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.stage.as_str(), self.reason)?;
        if let Some(path) = &self.path {
            write!(f, " at {path}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

impl<'a> Raw<'a> {
    /// A line of a file, from 1; everything else is left to the bytes.
    pub fn of_file(bytes: &'a [u8], file: &str, line: u64) -> Raw<'a> {
        let origin = Origin::File {
            file: file.into(),
            line,
            index: 0,
        };
        Raw {
            bytes,
            source: None,
            content_type: None,
            cloud_event: Vec::new(),
            tenant: None,
            origin,
            received_at: None,
        }
    }
}
