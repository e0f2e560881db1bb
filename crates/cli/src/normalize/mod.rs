//! `stormfold normalize`: what is understood of a payload. It describes, so whatever it finds is a success.

mod explain;

use std::io::Write;

use wire::{Decoder, Raw};

use crate::{
    fail::{Done, Failure},
    lines::LINE_BYTES_MAX,
    source,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Payloads as a tool posts them, one per file; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Name the source instead of detecting it.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    config: crate::config::File,
    /// Show each step in words instead: what was detected, which fields were found and where, what the names mean, the
    /// dedup key, the domain, what tables added, what the configuration would suppress.
    #[arg(long)]
    explain: bool,
    /// For `--explain`: the topology in which names are looked up; absent: that of the configuration.
    #[arg(long, value_name = "FILE", requires = "explain")]
    topology: Option<String>,
}

const EXAMPLES: &str = "\
Prints one JSON line per thing found: {\"outcome\": \"alert\" | \"not_an_alert\" | \"rejected\", …}. The exit status is 0 \
for all three.

Examples:
  stormfold normalize webhook.json
  curl -s https://alertmanager.example/api/v2/alerts | stormfold normalize -
  stormfold normalize --explain --topology topology.json payload.json
  stormfold normalize --source grafana payload.json";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let decoder = Decoder::new(config.decode()?);
    let explanation = if args.explain {
        Some(explain::Explanation::new(&config, args.topology.as_deref())?)
    } else {
        None
    };
    let mut out = std::io::stdout().lock();
    for file in &args.files {
        let bytes = source::read_all(file, 8 * LINE_BYTES_MAX as u64)?;
        let mut found = Vec::new();
        let raw = Raw {
            source: args.source.as_deref(),
            ..Raw::of_file(&bytes, file, 1)
        };
        decoder.decode(&raw, &mut found);
        if let Some(explanation) = &explanation {
            let text = explanation.of(file, &raw, &found);
            out.write_all(text.as_bytes())
                .map_err(|e| Failure::io("standard output", e))?;
            continue;
        }
        for found in &found {
            writeln!(out, "{}", wire::outcome::line(found)).map_err(|e| Failure::io("standard output", e))?;
        }
    }
    out.flush().map_err(|e| Failure::io("standard output", e))
}
