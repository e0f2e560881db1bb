//! `stormfold simulate`: a world to judge in, from a seed: events, the truth about them, the topology.

use std::io::Write;

use sim::world::{Form, Size, Stream, event_line, topology_json, truth_line};

use crate::fail::{Done, Failure};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The same seed and size give the same world, on any machine.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How large: 16 services and 8 faults, 40 and 40, or 400 and 1,000.
    #[arg(long, value_enum, default_value_t = Preset::Medium)]
    size: Preset,
    /// Services, databases and the like, instead of what the size says.
    #[arg(long, value_name = "N", value_parser = services)]
    services: Option<usize>,
    /// Faults, instead of what the size says.
    #[arg(long, value_name = "N")]
    faults: Option<usize>,
    /// Stop after this many events; without --faults, faults go on until then.
    #[arg(long, value_name = "N")]
    events: Option<usize>,
    /// The form of the events.
    #[arg(long, value_enum, default_value_t = FormName::Native)]
    form: FormName,
    /// Write the events, in the order of their arrival.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: String,
    /// Write what is true of each event, as `stormfold score` reads it.
    #[arg(long, value_name = "FILE")]
    truth: Option<String>,
    /// Write the topology.
    #[arg(long, value_name = "FILE")]
    topology: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  stormfold simulate --seed 7 --out world.jsonl --truth truth.jsonl --topology topology.json
  stormfold replay --topology topology.json --assignments pred.jsonl \\
    --causes causes.jsonl world.jsonl
  stormfold score --truth truth.jsonl --pred pred.jsonl --roots causes.jsonl";

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Preset {
    Small,
    Medium,
    Large,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormName {
    Native,
    Alertmanager,
}

/// More would take minutes before the first event.
const SERVICES_MAX: usize = 100_000;

fn services(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=SERVICES_MAX).contains(n));
    count.ok_or_else(|| format!("is to be between 1 and {SERVICES_MAX}"))
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let mut size = match args.size {
        Preset::Small => Size::small(),
        Preset::Medium => Size::default(),
        Preset::Large => Size {
            services: 400,
            faults: 1_000,
            ..Size::default()
        },
    };
    size.services = args.services.unwrap_or(size.services);
    size.faults = args.faults.unwrap_or(if args.events.is_some() {
        usize::MAX
    } else {
        size.faults
    });
    let form = match args.form {
        FormName::Native => Form::Native,
        FormName::Alertmanager => Form::Alertmanager,
    };
    let outputs = [
        ("--out", Some(args.out.as_str())),
        ("--truth", args.truth.as_deref()),
        ("--topology", args.topology.as_deref()),
    ];
    crate::files::apart(&outputs, &[])?;
    let stream = Stream::new(&size, args.seed);
    if let Some(file) = &args.topology {
        let mut out = create(file)?;
        let json = topology_json(&stream.estate().topology());
        writeln!(out, "{json}")
            .and_then(|()| out.flush())
            .map_err(|e| Failure::io(file, e))?;
    }
    let mut events = create(&args.out)?;
    let mut truth = args.truth.as_deref().map(create).transpose()?;
    for told in stream.take(args.events.unwrap_or(usize::MAX)) {
        writeln!(events, "{}", event_line(&told, form)).map_err(|e| Failure::io(&args.out, e))?;
        if let (Some(truth), Some(file)) = (&mut truth, &args.truth) {
            writeln!(truth, "{}", truth_line(&told, form)).map_err(|e| Failure::io(file, e))?;
        }
    }
    events.flush().map_err(|e| Failure::io(&args.out, e))?;
    truth
        .map_or(Ok(()), |mut out| out.flush())
        .map_err(|e| Failure::io("the truth", e))
}

fn create(file: &str) -> Result<Box<dyn Write>, Failure> {
    if file == "-" {
        return Ok(Box::new(std::io::BufWriter::new(std::io::stdout().lock())));
    }
    let file = std::fs::File::create(file).map_err(|e| Failure::io(file, e))?;
    Ok(Box::new(std::io::BufWriter::new(file)))
}
