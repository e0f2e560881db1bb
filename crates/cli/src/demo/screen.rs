//! What the demo prints: one line a change, a few more when somebody is paged, and a summary. Colours and a clock line
//! on a terminal, plain lines in a pipe.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use engine::Books;
use model::{
    AlertId, Change, ChangeKind, ContextClass, Evidence, EvidenceKind, Incident, IncidentId, Severity, Time,
};
use sim::story::Story;

use crate::terminal::{many, safe, word};

/// What was read from the topics.
pub(super) enum Told {
    Incident(Box<Incident>),
    Change(Box<Change>),
}

pub(super) struct Screen {
    live: bool,
    colours: bool,
    size: String,
    alerts: BTreeMap<AlertId, (String, String)>,
    events: usize,
    /// Every revision that was published: a change is told with the truth of its moment.
    incidents: BTreeMap<IncidentId, BTreeMap<u64, Incident>>,
    /// Numbers by which people tell incidents apart, in the order of appearance.
    numbers: BTreeMap<IncidentId, usize>,
    clock_shown: bool,
}

/// A style of the terminal (ECMA-48 SGR).
#[derive(Clone, Copy)]
enum Style {
    Dim,
    Bold,
    Red,
    Green,
    Yellow,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Dim => "2",
            Style::Bold => "1",
            Style::Red => "1;31",
            Style::Green => "32",
            Style::Yellow => "33",
        }
    }
}

/// Where the words of a line begin, behind clock and number.
const INDENT: &str = "               ";
/// Longest line, in characters; longer evidence is cut.
const LINE_MAX: usize = 118;

impl Screen {
    pub(super) fn new(story: &Story) -> Screen {
        let live = io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let count = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.dedup();
            names.len()
        };
        let nodes = &story.topology.nodes;
        let teams = count(nodes.iter().filter_map(|n| n.team.as_deref()).collect());
        let tools = count(story.events.iter().map(|e| e.source.as_str()).collect());
        Screen {
            live,
            colours: live && !plain,
            size: format!(
                "{} services, hosts and stores, {teams} teams, {tools} tools",
                nodes.len()
            ),
            alerts: super::alerts(story),
            events: story.events.len(),
            incidents: BTreeMap::new(),
            numbers: BTreeMap::new(),
            clock_shown: false,
        }
    }

    /// Whether somebody watches.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn title(&mut self) -> io::Result<()> {
        let title = format!(
            "A web shop on a bad morning: {}. Story time runs fast.",
            self.size
        );
        self.line(&self.paint(Style::Bold, &title))?;
        self.line("")
    }

    /// Prints what was told, and takes it.
    pub(super) fn tell(&mut self, now: Time, told: &mut Vec<Told>) -> io::Result<()> {
        for one in told.drain(..) {
            match one {
                Told::Incident(incident) => {
                    self.incidents
                        .entry(incident.incident_id)
                        .or_default()
                        .insert(incident.revision, *incident);
                }
                Told::Change(change) => self.change(&change)?,
            }
        }
        if self.live {
            let open = self.latest().filter(|i| i.resolved_at.is_none()).count();
            let line = format!("{}  {open} open", clock(now));
            let mut stdout = io::stdout().lock();
            write!(stdout, "\r\x1b[K{}", self.paint(Style::Dim, &line))?;
            stdout.flush()?;
            self.clock_shown = true;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(change.incident_id).or_insert(next);
        let head = format!("{}  #{number:<3}", clock(change.at));
        let why = why(&change.because);
        let to = change.to.as_deref().unwrap_or_default();
        match change.change {
            ChangeKind::Opened => {
                let text = format!("{head} opened    {}", self.subject(change.alert_id));
                let incident = self.truth(change);
                let quiet = incident.is_none_or(|i| i.severity < Severity::Error);
                self.line(&self.paint(if quiet { Style::Dim } else { Style::Yellow }, &text))
            }
            ChangeKind::Joined => {
                let subject = self.subject(change.alert_id);
                let why = self.paint(
                    Style::Dim,
                    &cut(
                        &why,
                        LINE_MAX.saturating_sub(INDENT.len() + subject.chars().count() + 14),
                    ),
                );
                self.line(&format!("{head} + {subject}  {why}"))
            }
            ChangeKind::Moved => self.line(&format!(
                "{head} moved     {}  {why}",
                self.subject(change.alert_id)
            )),
            ChangeKind::PageDue => self.page(&head, change),
            ChangeKind::CauseChanged => self.now(&head, "cause", to, &why),
            ChangeKind::OwnerChanged => self.now(&head, "owner", to, &why),
            ChangeKind::ClassChanged if to == "unclear" => Ok(()),
            ChangeKind::ClassChanged => self.now(&head, "class", &to.replace('_', "-"), &why),
            ChangeKind::Merged | ChangeKind::Split => {
                self.line(&format!("{head} {:?}  {why}", change.change))
            }
            ChangeKind::Resolved => self.resolved(&head, change),
            ChangeKind::Reopened => self.line(&self.paint(Style::Dim, &format!("{head} reopened  {why}"))),
            ChangeKind::Left
            | ChangeKind::Escalated
            | ChangeKind::Deescalated
            | ChangeKind::Acknowledged
            | ChangeKind::Snoozed
            | ChangeKind::PageClosed
            | ChangeKind::Suppressed
            | ChangeKind::Released
            | ChangeKind::Flapping
            | ChangeKind::Storm
            | ChangeKind::ActionSuggested
            | ChangeKind::ActionResult
            | ChangeKind::Note => Ok(()),
        }
    }

    /// A belief that changed.
    fn now(&mut self, head: &str, what: &str, to: &str, why: &str) -> io::Result<()> {
        let to = safe(to);
        let room = LINE_MAX.saturating_sub(INDENT.len() + 14 + to.chars().count());
        let why = self.paint(Style::Dim, &cut(why, room));
        self.line(&format!("{head} {what:<9} {to}  {why}"))
    }

    fn page(&mut self, head: &str, change: &Change) -> io::Result<()> {
        let team = change.to.as_deref().unwrap_or_default();
        let Some(incident) = self.truth(change).cloned() else {
            return self.line(&self.paint(Style::Red, &format!("{head} PAGE {}", safe(team))));
        };
        let text = format!(
            "{head} PAGE {}: {}, {}",
            safe(team),
            incident.severity,
            safe(&incident.title)
        );
        self.line(&self.paint(Style::Red, &text))?;
        self.facts(&incident)
    }

    /// Cause, class and owner with their reasons.
    fn facts(&mut self, incident: &Incident) -> io::Result<()> {
        let causes: Vec<String> = incident
            .causes
            .iter()
            .take(3)
            .map(|c| format!("{} {:.0} %", safe(&c.entity), c.score * 100.0))
            .collect();
        let best = incident
            .causes
            .first()
            .map(|c| why(&c.because))
            .unwrap_or_default();
        self.fact("cause", &causes.join(", "), &best)?;
        let class = word(&incident.context.class).replace('_', "-");
        if incident.context.class != ContextClass::Unclear {
            self.fact("class", &class, &why(&incident.context.because))?;
        }
        let owner = safe(&incident.owner.team).into_owned();
        self.fact("owner", &owner, &why(&incident.owner.because))
    }

    fn fact(&mut self, name: &str, value: &str, why: &str) -> io::Result<()> {
        let room = LINE_MAX.saturating_sub(INDENT.len() + 9 + value.chars().count());
        self.line(&format!(
            "{INDENT} {name:<6} {value}  {}",
            self.paint(Style::Dim, &cut(why, room))
        ))
    }

    fn resolved(&mut self, head: &str, change: &Change) -> io::Result<()> {
        let Some(incident) = self.truth(change) else {
            return self.line(&format!("{head} resolved"));
        };
        let lasted = incident
            .resolved_at
            .unwrap_or(incident.updated_at)
            .since(incident.opened_at);
        let counts = &incident.counts;
        let text = format!(
            "{head} resolved  after {lasted}: {}, {} events",
            many(counts.alerts, "alert"),
            counts.events
        );
        let style = if incident.page.seq > 0 {
            Style::Green
        } else {
            Style::Dim
        };
        self.line(&self.paint(style, &text))
    }

    pub(super) fn summary(&mut self, books: &Books, took: Duration) -> io::Result<()> {
        self.line("")?;
        let paged: Vec<Incident> = self.latest().filter(|i| i.page.seq > 0).cloned().collect();
        let text = format!(
            "{} events -> {} -> {} -> {} paged, {}",
            self.events,
            many(self.alerts.len() as u64, "alert"),
            many(self.incidents.len() as u64, "incident"),
            paged.len(),
            many(paged.iter().map(|i| u64::from(i.page.seq)).sum(), "page"),
        );
        self.line(&self.paint(Style::Bold, &text))?;
        self.line(&format!(
            "{} repeats counted, {} events of chronic alerts kept quiet, {:.1} s on this machine",
            books.repeats,
            books.suppressed,
            took.as_secs_f64()
        ))?;
        let mut paged: Vec<(usize, Incident)> = paged
            .into_iter()
            .map(|i| (self.numbers[&i.incident_id], i))
            .collect();
        paged.sort_by_key(|(number, _)| *number);
        for (number, incident) in paged {
            self.line("")?;
            let told = match incident.also_notify.len() {
                0 => String::new(),
                _ => format!(" Told, not woken: {}.", safe(&incident.also_notify.join(", "))),
            };
            self.line(&self.paint(Style::Bold, &format!("#{number} {}", safe(&incident.title))))?;
            self.line(&format!("   {}{told}", safe(&incident.summary)))?;
        }
        self.line("")?;
        self.line("Try next:")?;
        self.line("  stormfold demo --write shop                         the story as files")?;
        self.line("  stormfold replay --topology shop/topology.json --incidents - shop/events.jsonl")?;
        self.line(
            "  stormfold normalize YOUR-ALERT.json                 what is understood of your own alerts",
        )?;
        self.line(
            "  ./dev test                                          everything, a real Apache Kafka included",
        )
    }

    /// The incident as the change left it.
    fn truth(&self, change: &Change) -> Option<&Incident> {
        let revisions = self.incidents.get(&change.incident_id)?;
        revisions
            .range(change.revision..)
            .next()
            .or(revisions.last_key_value())
            .map(|(_, incident)| incident)
    }

    fn latest(&self) -> impl Iterator<Item = &Incident> {
        self.incidents
            .values()
            .filter_map(|revisions| revisions.last_key_value())
            .map(|(_, incident)| incident)
    }

    fn subject(&self, alert: Option<AlertId>) -> String {
        let Some((place, title)) = alert.and_then(|id| self.alerts.get(&id)) else {
            return String::new();
        };
        format!("{}: {}", safe(place), safe(title))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let clear = if std::mem::take(&mut self.clock_shown) {
            "\r\x1b[K"
        } else {
            ""
        };
        writeln!(io::stdout().lock(), "{clear}{}", text.trim_end())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colours && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

/// The reasons in words, the telling ones first, without those that only weigh.
fn why(because: &[Evidence]) -> String {
    let mut told: Vec<&Evidence> = because
        .iter()
        .filter(|e| e.kind != EvidenceKind::Activity)
        .collect();
    told.sort_by_key(|e| e.kind == EvidenceKind::Time);
    let texts: Vec<&str> = told.iter().map(|e| e.text.as_str()).collect();
    safe(&texts.join("; ")).into_owned()
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let cut: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{cut}…")
}

fn clock(time: Time) -> String {
    let second = time.secs().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}
