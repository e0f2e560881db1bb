//! What somebody who may create topics and give rights has to do for us, as commands of Apache Kafka's own tools.

use stream::log::{Need, TopicSpec};

use super::say;
use crate::{config, fail::Done, logs};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    config: config::File,
    /// Print the least rights instead of the topics.
    #[arg(long)]
    acls: bool,
    /// Who is to be given the rights.
    #[arg(
        long,
        value_name = "PRINCIPAL",
        default_value = "User:stormfold",
        requires = "acls"
    )]
    principal: String,
}

const EXAMPLES: &str = "\
Add to each line what your tools need to reach the cluster, e.g. --bootstrap-server HOST:PORT --command-config FILE.

Examples:
  stormfold topics needed --config stormfold.yaml
  stormfold topics needed --config stormfold.yaml --acls --principal User:CN=stormfold";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let settings = logs::settings(&config)?;
    if args.acls {
        let needs = stream::topics::needs(&settings, config.http.enabled);
        return needs.iter().try_for_each(|need| say(&acl(need, &args.principal)));
    }
    let topics = stream::topics::wanted(&settings);
    topics.iter().try_for_each(|spec| say(&command(spec)))
}

/// The command that makes a topic.
pub(super) fn command(spec: &TopicSpec) -> String {
    let settings: String = spec
        .settings
        .iter()
        .map(|(name, value)| format!(" --config {name}={value}"))
        .collect();
    format!(
        "kafka-topics.sh --create --topic {} --partitions {}{settings}",
        spec.name, spec.partitions
    )
}

/// The command that allows what is needed.
pub(crate) fn acl(need: &Need, principal: &str) -> String {
    let right = need.right();
    let resource = match right.resource {
        "TransactionalId" => "--transactional-id",
        "Group" => "--group",
        _ => "--topic",
    };
    let pattern = if right.whole {
        ""
    } else {
        " --resource-pattern-type prefixed"
    };
    format!(
        "kafka-acls.sh --add --allow-principal {principal} --operation {} {resource} {}{pattern}",
        right.operation, right.name
    )
}
