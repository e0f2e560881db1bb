//! `stormfold doctor`: what is wrong with a deployment, and how to mend it.
//!
//! It looks from outside, at what a deployment leaves in its log and says over HTTP, so it can be run beside it, from
//! anywhere that reaches the brokers. It changes nothing; rights are tried out in transactions that are given up.

mod flow;
mod log;
mod place;
mod transactions;

use std::io::Write;

use model::Time;
use serde::Serialize;
use stream::{Clock, SystemClock};

use crate::{
    config,
    fail::{Done, Failure},
    logs,
    terminal::safe,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    config: config::File,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
    /// Write nothing, so that rights to write are not looked at.
    #[arg(long)]
    passive: bool,
    /// Also fail for what is only to be noted.
    #[arg(long)]
    strict: bool,
}

const EXAMPLES: &str = "\
Looks at configuration, topology, disk, HTTP, brokers, topics and their settings, rights, lag, transactions, heartbeats, state rows, clocks and \
dead letters. With the embedded log a running process has it to itself: then only what it says over HTTP is looked at.

Exit status: 0 nothing is wrong; 1 something is; 2 the configuration cannot be read.

Examples:
  stormfold doctor --config stormfold.yaml
  stormfold doctor --json | jq '.findings[] | select(.level == \"wrong\")'";

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// To be mended.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    area: &'static str,
    level: Level,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default, Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

impl Findings {
    fn ok(&mut self, area: &'static str, what: impl Into<String>) {
        self.push(area, Level::Ok, what.into(), None);
    }
    fn note(&mut self, area: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.push(area, Level::Note, what.into(), Some(mend.into()));
    }
    fn wrong(&mut self, area: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.push(area, Level::Wrong, what.into(), Some(mend.into()));
    }
    fn push(&mut self, area: &'static str, level: Level, what: String, mend: Option<String>) {
        self.findings.push(Finding {
            area,
            level,
            what,
            mend,
        });
    }
    /// Takes over what an examination could not do.
    fn tried(&mut self, area: &'static str, done: Result<(), Failure>) {
        match done {
            Ok(()) | Err(Failure::Gone) => {}
            Err(Failure::Run(what) | Failure::Wrong(what)) => {
                self.note(
                    area,
                    format!("could not be looked at: {what}"),
                    "mend what else is wrong, and look again",
                );
            }
        }
    }
    fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let mut findings = Findings::default();
    findings.ok("configuration", args.config.is_right());
    examine(&config, args.passive, &mut findings);
    print(args, &findings)?;
    let (wrong, notes) = (findings.count(Level::Wrong), findings.count(Level::Note));
    match wrong > 0 || args.strict && notes > 0 {
        true => Err(Failure::Run(format!("{wrong} wrong, {notes} to note"))),
        false => Ok(()),
    }
}

fn examine(config: &config::Config, passive: bool, findings: &mut Findings) {
    let settings = match logs::settings(config) {
        Ok(settings) => settings,
        Err(Failure::Run(what) | Failure::Wrong(what)) => {
            findings.wrong("configuration", what, "mend the file that is named");
            return;
        }
        Err(Failure::Gone) => return,
    };
    let now = SystemClock.now();
    place::topology(config, now, findings);
    place::paging(config, findings);
    place::disk(config, findings);
    let runs = place::http(config, findings);
    let Some(log) = log::open(config, runs, findings) else {
        return;
    };
    let whole = log::topics(log.as_ref(), &settings, findings);
    if whole && !passive {
        log::rights(log.as_ref(), &settings, config.http.enabled, findings);
    }
    if whole {
        transactions::examine(log.as_ref(), &settings, findings);
        flow::examine(log.as_ref(), &settings, now, findings);
    }
}

fn print(args: &Args, findings: &Findings) -> Done {
    let mut out = std::io::stdout().lock();
    let done = if args.json {
        let json = serde_json::to_string_pretty(findings).expect("findings are plain");
        writeln!(out, "{json}")
    } else {
        findings.findings.iter().try_for_each(|finding| {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Note => "note",
                Level::Wrong => "WRONG",
            };
            writeln!(out, "{level:<6}{:<14}{}", finding.area, safe(&finding.what))?;
            match &finding.mend {
                Some(mend) => writeln!(out, "{:<20}-> {}", "", safe(mend)),
                None => Ok(()),
            }
        })
    };
    done.map_err(|e| Failure::io("standard output", e))
}

/// Seconds in words.
fn long(from: Time, to: Time) -> String {
    match to.since(from).millis() / 1_000 {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}
