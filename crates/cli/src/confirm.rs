//! `stormfold confirm`: an SNS topic asks before it sends; an operator says yes.
//!
//! The address to fetch comes from outside, so nothing fetches it but this command, and only where its host is one that
//! the operator allows: SNS's own, unless said otherwise. Redirects are not followed.

use std::{
    io::{Read, Write},
    time::Duration,
};

use serde_json::Value;
use stream::log::Record;

use crate::{
    config,
    fail::{Done, Failure},
    logs, records,
    terminal::safe,
};

/// Hosts that confirm subscriptions; `*` stands for one label.
const HOSTS: [&str; 2] = ["sns.*.amazonaws.com", "sns.*.amazonaws.com.cn"];
/// Bytes of an answer or a file, at most.
const BYTES_MAX: u64 = 256 << 10;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A file with the body that SNS posted, or `-` for standard input; absent: the newest one of each topic in the raw topics.
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// Only say what waits.
    #[arg(long)]
    list: bool,
    /// Only this topic of SNS.
    #[arg(long, value_name = "ARN")]
    topic: Option<String>,
    /// Hosts that may be fetched instead of SNS's own; `*` stands for one label.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    #[command(flatten)]
    config: config::File,
}

const EXAMPLES: &str = "\
A subscription waits for three days. With the embedded log the pipeline must not be running; with Kafka it may be.

Examples:
  stormfold confirm --list
  stormfold confirm --topic arn:aws:sns:eu-west-1:111122223333:alarms
  stormfold confirm body.json";

/// What SNS asks.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    topic: String,
    url: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let mut questions = match &args.file {
        Some(file) => vec![from_file(file)?],
        None => from_log(args)?,
    };
    if let Some(topic) = &args.topic {
        questions.retain(|q| q.topic == *topic);
    }
    if questions.is_empty() {
        return Err(Failure::Wrong("no subscription waits".to_owned()));
    }
    let hosts: Vec<&str> = match args.allow_host.is_empty() {
        true => HOSTS.to_vec(),
        false => args.allow_host.iter().map(String::as_str).collect(),
    };
    for question in &questions {
        let checked = check(question, &hosts);
        if args.list {
            let verdict = match &checked {
                Ok(host) => format!("may be confirmed at {host}"),
                Err(reason) => format!("is refused: {reason}"),
            };
            tell(&format!("{}  {}", safe(&question.topic), safe(&verdict)))?;
            continue;
        }
        checked.map_err(|reason| Failure::Wrong(format!("{}: {reason}", question.topic)))?;
        fetch(&question.url)?;
        tell(&format!("{}  is confirmed", safe(&question.topic)))?;
    }
    Ok(())
}

fn tell(line: &str) -> Done {
    writeln!(std::io::stdout().lock(), "{line}").map_err(|e| Failure::io("standard output", e))
}

fn from_file(file: &str) -> Result<Question, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().take(BYTES_MAX).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|f| f.take(BYTES_MAX).read_to_end(&mut bytes)),
    };
    read.map_err(|e| Failure::io(file, e))?;
    question(&bytes).ok_or_else(|| Failure::Wrong(format!("{file}: no SubscriptionConfirmation of SNS")))
}

/// The newest question of each topic of SNS that the raw topics hold.
fn from_log(args: &Args) -> Result<Vec<Question>, Failure> {
    let config = args.config.load()?;
    let log = logs::existing(&config)?;
    let mut found: Vec<Question> = Vec::new();
    for topic in logs::settings(&config)?.raw {
        for at in records::partitions(log.as_ref(), &topic.name)? {
            records::to_end(log.as_ref(), &at, None, |record: Record| {
                if let Some(question) = record.value.as_deref().and_then(question) {
                    found.retain(|q| q.topic != question.topic);
                    found.push(question);
                }
                Ok(())
            })?;
        }
    }
    Ok(found)
}

fn question(body: &[u8]) -> Option<Question> {
    // Nearly no record is one, and parsing all of a topic would take its time.
    let holds = |what: &str| memchr::memmem::find(body, what.as_bytes()).is_some();
    if !holds("SubscriptionConfirmation") || !holds("SubscribeURL") {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    (text("Type") == Some("SubscriptionConfirmation")).then_some(())?;
    Some(Question {
        topic: text("TopicArn")?.to_owned(),
        url: text("SubscribeURL")?.to_owned(),
    })
}

/// The host, if it is one of those that may be fetched and the address does what it should.
fn check(question: &Question, hosts: &[&str]) -> Result<String, String> {
    let url = &question.url;
    let (scheme, rest) = url.split_once("://").ok_or("the address has no scheme")?;
    let (authority, query) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let host = authority
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let plain = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if !plain || host.is_empty() || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("the address names no plain host".to_owned());
    }
    if !hosts.iter().any(|pattern| matches(pattern, &host)) {
        return Err(format!("its host {host} is none of {}", hosts.join(", ")));
    }
    // Plain HTTP is for trying it out on one machine.
    if scheme != "https" && !(scheme == "http" && matches!(host.as_str(), "127.0.0.1" | "localhost")) {
        return Err(format!("it is {scheme}, not https"));
    }
    if !query.contains("Action=ConfirmSubscription") {
        return Err("it does something other than confirm a subscription".to_owned());
    }
    Ok(host)
}

fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host): (Vec<&str>, Vec<&str>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern.len() == host.len()
        && pattern
            .iter()
            .zip(&host)
            .all(|(p, h)| (*p == "*" && !h.is_empty()) || p.eq_ignore_ascii_case(h))
}

fn fetch(url: &str) -> Done {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .into();
    let failed = |error: ureq::Error| Failure::Run(format!("the confirmation: {error}"));
    let mut response = agent.get(url).call().map_err(failed)?;
    let status = response.status();
    let text = response
        .body_mut()
        .with_config()
        .limit(BYTES_MAX)
        .read_to_string();
    if status.as_u16() != 200 {
        let text = text.unwrap_or_default();
        let said: String = text.chars().take(200).collect();
        return Err(Failure::Run(format!(
            "the confirmation was answered {status}: {said}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> Result<String, String> {
        let question = Question {
            topic: "arn:aws:sns:eu-west-1:1:alarms".to_owned(),
            url: url.to_owned(),
        };
        check(&question, &HOSTS)
    }

    #[test]
    fn only_sns_itself_is_fetched() {
        let good = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
        assert_eq!(asked(good).as_deref(), Ok("sns.eu-west-1.amazonaws.com"));
        for bad in [
            "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-west-1.amazonaws.com.example.com/?Action=ConfirmSubscription",
            "https://sns.eu-west-1.amazonaws.com@example.com/?Action=ConfirmSubscription",
            "https://example.com/?Action=ConfirmSubscription&x=sns.eu-west-1.amazonaws.com",
            "https://169.254.169.254/?Action=ConfirmSubscription",
            "https://sns..amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic",
            "file:///etc/passwd?Action=ConfirmSubscription",
            "sns.eu-west-1.amazonaws.com",
        ] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_asks_is_found() {
        let body = br#"{"Type":"SubscriptionConfirmation","TopicArn":"arn:1","SubscribeURL":"https://x/"}"#;
        assert_eq!(question(body).unwrap().topic, "arn:1");
        assert_eq!(question(br#"{"Type":"Notification","TopicArn":"arn:1"}"#), None);
        assert_eq!(question(b"SubscriptionConfirmation SubscribeURL"), None);
    }
}
