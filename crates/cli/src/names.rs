//! `stormfold names`: what the names in events mean in a topology, which mean nothing, which alias was probably left out, and
//! what keeps breaking out together although nothing connects it. Names are what joins tools, so this is the first thing to look at when nothing is joined.

use std::{collections::BTreeMap, io::Write, sync::Arc};

use engine::Suggestion;
use model::{Event, Input, Text};
use topology::Graph;
use wire::{Decoder, Found, Raw};

use crate::{
    config,
    fail::{Done, Failure},
    lines::{LINE_BYTES_MAX, Line, Lines},
    source,
    terminal::safe,
};

/// Names beyond this many are counted, not listed.
const NAMES_MAX: usize = 100_000;
/// A proposal at least this alike is shown; below it, chance is as likely.
const LIKENESS_MIN: f64 = 0.8;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Events as `replay` takes them. Plain, gzip or zstd; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    events: String,
    /// The topology (stormfold.topology/1); absent: that of the configuration.
    #[arg(long, value_name = "FILE")]
    topology: Option<String>,
    /// One JSON object a line instead of a report.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: config::File,
}

const EXAMPLES: &str = "\
Examples:
  stormfold names --events last-week.jsonl.gz --topology topology.json
  stormfold names --events events.jsonl --topology topology.json --json | jq 'select(.proposed)'";

/// What became of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Node(Text),
    Several(Vec<Text>),
    Nothing,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let file = args.topology.as_deref().or(config.topology.as_deref());
    let file = file.ok_or_else(|| {
        Failure::Wrong("--topology FILE is needed, or `topology` in the configuration".to_owned())
    })?;
    let graph = crate::topology::graph(file)?;
    let decoder = Decoder::new(config.decode()?);
    let mut census = Census::default();
    // Folded too, to see what keeps breaking out together.
    let mut shard = engine::Shard::new(config.engine());
    let mut outs = Vec::new();
    let parts = crate::topology::read(file)?;
    shard.step(
        &parts.into_iter().map(Input::TopologyPart).collect::<Vec<_>>(),
        &mut outs,
    );
    let mut lines = Lines::new(source::open(&args.events, &Arc::default())?, LINE_BYTES_MAX);
    let mut found = Vec::new();
    while let Some((number, line)) = lines.next().map_err(|e| Failure::io(&args.events, e))? {
        let Line::Whole(bytes) = line else { continue };
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        found.clear();
        decoder.decode(&Raw::of_file(bytes, &args.events, number), &mut found);
        for one in &found {
            if let Found::Alert(event) = one {
                census.take(event, &graph);
                shard.step(&[Input::Event(event.clone())], &mut outs);
                outs.clear();
            }
        }
    }
    let lacking = shard.suggestions();
    let text = if args.json {
        census.json(&graph) + &suggestions_json(&lacking)
    } else {
        census.report(&graph) + &suggestions_report(&lacking)
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Failure::io("standard output", e))
}

/// Names by kind, with their meaning and how many events carry them.
#[derive(Default)]
struct Census {
    events: u64,
    /// Events of which something was found in the topology.
    placed: u64,
    names: BTreeMap<(String, String), (Meaning, u64)>,
    beyond: u64,
}

impl Census {
    fn take(&mut self, event: &Event, graph: &Graph) {
        self.events += 1;
        let resolved = graph.resolve(event);
        self.placed += u64::from(resolved.subject.or(resolved.host).is_some());
        let fields = [
            ("service", event.service.as_deref()),
            ("host", event.host.as_deref()),
        ];
        let entities = event.entities.iter().map(|(kind, name)| (kind, Some(name)));
        for (kind, name) in fields.into_iter().chain(entities) {
            let Some(name) = name.filter(|n| !n.is_empty()) else {
                continue;
            };
            let key = (kind.to_owned(), name.to_owned());
            if let Some((_, count)) = self.names.get_mut(&key) {
                *count += 1;
                continue;
            }
            if self.names.len() >= NAMES_MAX {
                self.beyond += 1;
                continue;
            }
            let unknown = resolved.unresolved.iter().any(|(k, n)| k == kind && n == name);
            let several = resolved.ambiguous.iter().find(|(n, _)| n == name);
            let meaning = match (unknown, several, graph.name(name)) {
                (_, Some((_, nodes)), _) => {
                    Meaning::Several(nodes.iter().map(|n| graph.id(*n).clone()).collect())
                }
                (true, None, _) => Meaning::Nothing,
                (false, None, topology::Resolution::Known(node)) => Meaning::Node(graph.id(node).clone()),
                (false, None, topology::Resolution::Ambiguous(nodes)) => {
                    Meaning::Several(nodes.iter().map(|n| graph.id(*n).clone()).collect())
                }
                // A kind that is not looked up, such as a region.
                (false, None, topology::Resolution::Unknown) if !matches!(kind, "service" | "host") => {
                    continue;
                }
                (false, None, topology::Resolution::Unknown) => {
                    // A host is looked up with its port and domain dropped, a pod with its hashes.
                    let node = if kind == "host" {
                        resolved.host
                    } else {
                        resolved.subject
                    };
                    node.map_or(Meaning::Nothing, |n| Meaning::Node(graph.id(n).clone()))
                }
            };
            self.names.insert(key, (meaning, 1));
        }
    }

    fn report(&self, graph: &Graph) -> String {
        let mut out = format!(
            "{} events, {} of them on something in the topology ({} nodes)\n",
            self.events,
            self.placed,
            graph.len()
        );
        for (title, part) in [
            ("Resolved", 0),
            ("Could be several", 1),
            ("Not in the topology", 2),
        ] {
            let mut rows: Vec<_> = self
                .names
                .iter()
                .filter(|(_, (meaning, _))| meaning.part() == part)
                .collect();
            rows.sort_by_key(|((kind, name), (_, count))| (std::cmp::Reverse(*count), kind, name));
            out.push_str(&format!("\n{title}: {} names\n", rows.len()));
            for ((kind, name), (meaning, count)) in rows {
                let said = match meaning {
                    Meaning::Node(id) if id == name => String::new(),
                    Meaning::Node(id) => format!("  is {}", safe(id)),
                    Meaning::Several(ids) => format!("  {}", safe(&ids.join(", "))),
                    Meaning::Nothing => proposal(graph, name)
                        .map(|(id, likeness)| format!("  perhaps {} ({:.0} %)", safe(&id), likeness * 100.0))
                        .unwrap_or_default(),
                };
                out.push_str(&format!("{count:>8}  {kind:<10} {}{said}\n", safe(name)));
            }
        }
        if self.beyond > 0 {
            out.push_str(&format!(
                "\n{} more names beyond the limit of {NAMES_MAX}\n",
                self.beyond
            ));
        }
        let proposed: Vec<(&str, Text)> = self
            .names
            .iter()
            .filter(|(_, (meaning, _))| *meaning == Meaning::Nothing)
            .filter_map(|((_, name), _)| Some((name.as_str(), proposal(graph, name)?.0)))
            .collect();
        if !proposed.is_empty() {
            out.push_str(
                "\nProposed aliases, for `aliases` of the nodes in the topology, to be looked at first:\n",
            );
            let mut by_node: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (name, id) in &proposed {
                by_node.entry(id).or_default().push(name);
            }
            for (id, mut names) in by_node {
                names.dedup();
                let line = serde_json::json!({"id": id, "aliases": names});
                out.push_str(&format!("  {line}\n"));
            }
        }
        out
    }

    fn json(&self, graph: &Graph) -> String {
        let mut out = String::new();
        for ((kind, name), (meaning, count)) in &self.names {
            let mut line = serde_json::json!({"kind": kind, "name": name, "events": count});
            match meaning {
                Meaning::Node(id) => line["node"] = id.as_str().into(),
                Meaning::Several(ids) => line["could_be"] = ids.iter().map(Text::as_str).collect(),
                Meaning::Nothing => {
                    line["node"] = serde_json::Value::Null;
                    if let Some((id, likeness)) = proposal(graph, name) {
                        line["proposed"] = id.as_str().into();
                        line["likeness"] = ((likeness * 1000.0).round() / 1000.0).into();
                    }
                }
            }
            out.push_str(&format!("{line}\n"));
        }
        out
    }
}

impl Meaning {
    fn part(&self) -> u8 {
        match self {
            Meaning::Node(_) => 0,
            Meaning::Several(_) => 1,
            Meaning::Nothing => 2,
        }
    }
}

/// Whether two names are probably one thing: one of them is unknown and they are alike. Else something connects them.
fn is_alias(suggestion: &Suggestion) -> bool {
    let alike = strsim::jaro_winkler(&suggestion.a.to_lowercase(), &suggestion.b.to_lowercase());
    suggestion.known != (true, true) && alike >= LIKENESS_MIN
}

fn suggestions_report(lacking: &[Suggestion]) -> String {
    if lacking.is_empty() {
        return String::new();
    }
    let mut out =
        "\nKeep breaking out together although nothing connects them, to be looked at first:\n".to_owned();
    for one in lacking {
        let what = if is_alias(one) {
            "perhaps one thing"
        } else {
            "perhaps an edge"
        };
        let (a, b) = (safe(&one.a), safe(&one.b));
        out.push_str(&format!(
            "  {a} and {b}: {} of {} times; {what}\n",
            one.together, one.of
        ));
    }
    out
}

fn suggestions_json(lacking: &[Suggestion]) -> String {
    let line = |one: &Suggestion| {
        let what = if is_alias(one) { "alias" } else { "edge" };
        let ends = [&one.a, &one.b];
        serde_json::json!({"suggested": what, "between": ends, "together": one.together, "of": one.of, "last": one.last})
    };
    lacking.iter().map(|one| format!("{}\n", line(one))).collect()
}

/// The node that a part of the name names, else the one whose name is most alike, if any is alike enough. Of equals the
/// first.
fn proposal(graph: &Graph, name: &str) -> Option<(Text, f64)> {
    if let Some(node) = graph.perhaps(name) {
        let id = graph.id(node);
        let likeness = strsim::jaro_winkler(&name.to_lowercase(), &id.to_lowercase());
        return Some((id.clone(), likeness));
    }
    let name = name.to_lowercase();
    let best = graph
        .node_ids()
        .map(|node| {
            (
                graph.id(node),
                strsim::jaro_winkler(&name, &graph.id(node).to_lowercase()),
            )
        })
        .fold(None, |best: Option<(&Text, f64)>, one| match best {
            Some(b) if b.1 >= one.1 => Some(b),
            _ => Some(one),
        });
    best.filter(|(_, likeness)| *likeness >= LIKENESS_MIN)
        .map(|(id, likeness)| (id.clone(), likeness))
}
