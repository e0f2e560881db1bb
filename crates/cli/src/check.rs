//! `stormfold check`: whether the configuration is right, and what is in force with it.

use std::io::Write;

use crate::{
    config,
    fail::{Done, Failure},
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    config: config::File,
    /// Print what is in force: defaults, file and environment together, secrets hidden.
    #[arg(long)]
    effective: bool,
    /// Print a configuration with every field, its default and what it means.
    #[arg(long, conflicts_with_all = ["effective", "reference"])]
    example: bool,
    /// Print the reference of the configuration (docs/config.md).
    #[arg(long, conflicts_with = "effective")]
    reference: bool,
}

const EXAMPLES: &str = "\
Nothing is started and no broker is asked. Exit status 2 when something is wrong.

Examples:
  stormfold check --config stormfold.yaml
  STORMFOLD_PAGE_MODE=live stormfold check --effective
  stormfold check --example > stormfold.yaml";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let text = if args.example {
        config::example()
    } else if args.reference {
        config::markdown()
    } else {
        let config = args.config.load()?;
        if let Some(file) = &config.topology {
            crate::topology::configured(file)?;
        }
        crate::tables::read(&config.decode.tables).map_err(Failure::Wrong)?;
        if args.effective {
            serde_saphyr::to_string(&config::masked(&config))
                .map_err(|e| Failure::Run(format!("the configuration cannot be written: {e}")))?
        } else {
            format!("{}\n", args.config.is_right())
        }
    };
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|e| Failure::io("standard output", e))
}
