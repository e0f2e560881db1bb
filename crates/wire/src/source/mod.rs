//! The sources: one file each, one row each in [`TABLE`].
//!
//! A source is recognised by the shape of its body alone. Rows are tried in their order, so a form that could be taken
//! for another stands before it. Adding a source is adding a file, a row, and its scenarios.

use model::{EventKind, Text};
use serde_json::Value;

use crate::{
    draft::{Context, Draft},
    fields::Fields,
    found::{Found, OtherKind, Rejection, Stage},
};

mod alerta;
pub(crate) mod alertmanager;
mod alertsite;
mod argocd;
mod axiom;
mod azure;
mod azuredevops;
mod bitbucket;
mod cef;
mod checkly;
pub(crate) mod cloudevents;
mod cloudwatch;
mod consul;
mod coralogix;
mod dash0;
mod datadog;
mod delivery;
mod dynatrace;
mod elastic;
mod email;
mod errors;
mod falco;
mod findings;
mod flux;
mod gcp;
pub(crate) mod generic;
mod github_alerts;
mod goalert;
mod grafana;
mod graylog;
mod handshake;
mod hertzbeat;
mod instana;
mod jira;
mod k6;
mod kapacitor;
mod kubernetes;
mod librenms;
mod logicmonitor;
mod meraki;
mod nagios;
mod netbox;
mod netcool;
mod netdata;
mod newrelic;
mod nomad;
mod opennms;
mod opmanager;
mod opsgenie;
mod otlp;
mod pagerduty;
mod papertrail;
mod pingdom;
mod riemann;
mod sensu;
mod sentry;
mod servicenow;
mod shape;
mod silences;
mod site24x7;
mod skywalking;
pub(crate) mod snmptrap;
mod snyk;
mod splunk;
mod statuspage;
pub(crate) mod syslog;
mod tencent;
mod thousandeyes;
pub(crate) mod topology;
mod uptime;
mod uptimekuma;
mod vrops;
mod wazuh;
mod xmatters;
mod zabbix;
mod zenoss;

use shape::Shape;

/// What nearly every source needs.
mod prelude {
    pub(crate) use model::{EventKind, Severity, Status, Text, Time};
    pub(crate) use serde_json::Value;

    pub(crate) use super::{
        Sink, Source,
        shape::{EMPTY, Shape},
    };
    pub(crate) use crate::{
        draft::Draft,
        fields::{
            Fields, Names, all_are, each, find, has, join, labels_from, lines, lowered, plain, rekeyed,
            scalar, tags, text_at,
        },
        found::OtherKind,
        lower::among,
        state::{self, State},
        when,
    };
}

/// Envelopes within envelopes, at most.
const ENVELOPES_MAX: usize = 5;

/// One source.
pub struct Source {
    /// Its name, as in `Event::source` and in the HTTP path.
    pub name: &'static str,
    /// The forms it is known to send, for the documentation.
    pub forms: &'static str,
    /// Where the form is published.
    pub reference: &'static str,
    pub(crate) detect: fn(&Value) -> bool,
    pub(crate) decode: fn(&Value, &mut Sink<'_>),
}

/// All sources, in the order in which they are tried.
pub static TABLE: &[Source] = &[
    handshake::SOURCE,
    cloudevents::SOURCE,
    cloudwatch::SNS,
    cloudwatch::EVENTBRIDGE,
    gcp::PUBSUB,
    topology::SOURCE,
    alertmanager::SOURCE,
    silences::SOURCE,
    otlp::SOURCE,
    flux::SOURCE,
    kubernetes::SOURCE,
    elastic::SOURCE,
    cloudwatch::ALARM,
    azure::SOURCE,
    gcp::SOURCE,
    pagerduty::EVENTS,
    pagerduty::WEBHOOKS,
    opsgenie::SOURCE,
    sentry::SOURCE,
    errors::ROLLBAR,
    errors::BUGSNAG,
    errors::HONEYBADGER,
    instana::SOURCE,
    sensu::SOURCE,
    falco::SOURCE,
    opennms::SOURCE,
    findings::SOURCE,
    findings::SCC,
    zenoss::SOURCE,
    zenoss::MOOGSOFT,
    netcool::SOURCE,
    netdata::SOURCE,
    logicmonitor::SOURCE,
    meraki::SOURCE,
    goalert::SOURCE,
    tencent::SOURCE,
    skywalking::SOURCE,
    hertzbeat::SOURCE,
    opmanager::SOURCE,
    k6::SOURCE,
    jira::SOURCE,
    papertrail::SOURCE,
    azuredevops::SOURCE,
    bitbucket::SOURCE,
    argocd::SOURCE,
    snyk::SOURCE,
    github_alerts::SOURCE,
    delivery::GITHUB,
    delivery::GITLAB,
    delivery::JENKINS,
    delivery::HEROKU,
    delivery::TERRAFORM,
    servicenow::SOURCE,
    statuspage::SOURCE,
    xmatters::SOURCE,
    dash0::SOURCE,
    axiom::SOURCE,
    nomad::SOURCE,
    consul::SOURCE,
    netbox::SOURCE,
    graylog::SOURCE,
    grafana::ONCALL,
    grafana::LEGACY,
    uptimekuma::SOURCE,
    uptime::BETTERSTACK,
    uptime::UPDOWN,
    uptime::OHDEAR,
    uptime::ROBOT,
    pingdom::SOURCE,
    site24x7::SOURCE,
    alertsite::SOURCE,
    thousandeyes::SOURCE,
    checkly::SOURCE,
    splunk::SIGNALFX,
    splunk::VICTOROPS,
    splunk::SOURCE,
    newrelic::SOURCE,
    dynatrace::SOURCE,
    vrops::SOURCE,
    wazuh::SOURCE,
    coralogix::SOURCE,
    kapacitor::SOURCE,
    librenms::SOURCE,
    zabbix::SOURCE,
    nagios::SOURCE,
    datadog::SOURCE,
    riemann::SOURCE,
    alerta::SOURCE,
    snmptrap::SOURCE,
    email::SOURCE,
    syslog::SOURCE,
];

/// The source with this name, in the form that `value` has if it has several. What has none of them is read by the first
/// in the table, so alerts stand there before what else their sender knows.
pub(crate) fn named(name: &str, value: &Value) -> Option<&'static Source> {
    let mut rows = TABLE.iter().filter(|s| s.name.eq_ignore_ascii_case(name));
    let first = rows.next()?;
    if (first.detect)(value) {
        return Some(first);
    }
    rows.find(|s| (s.detect)(value)).or(Some(first))
}

/// Takes what a source finds.
pub(crate) struct Sink<'a> {
    pub(crate) context: Context<'a>,
    out: &'a mut Vec<Found>,
    start: usize,
    /// So much is taken of one body, and so much more was found.
    max: usize,
    over: usize,
    source: &'static str,
    envelopes: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(context: Context<'a>, max: usize, out: &'a mut Vec<Found>) -> Sink<'a> {
        let start = out.len();
        Sink {
            context,
            out,
            start,
            max,
            over: 0,
            source: "",
            envelopes: 0,
        }
    }

    /// Reads the fields of a payload.
    pub(crate) fn fields<'v>(&self, value: &'v Value) -> Fields<'v> {
        Fields::new(value, self.context.near())
    }

    /// Reads the fields of a payload, and begins what it tells of by a shape.
    pub(crate) fn read<'v>(&self, source: &str, shape: &Shape, value: &'v Value) -> (Fields<'v>, Draft) {
        let f = self.fields(value);
        let d = shape.read(source, &f);
        (f, d)
    }

    /// An alert, or what else it is, with all that no field took.
    pub(crate) fn rest(&mut self, f: &Fields<'_>, mut d: Draft, other: Option<OtherKind>) {
        f.rest_into(&mut d);
        match other {
            Some(kind) => self.other(kind, d),
            None => self.event(d),
        }
    }

    /// An alert, or an acknowledgement of one; other kinds of events are put where they belong.
    pub(crate) fn event(&mut self, draft: Draft) {
        let other = match draft.kind {
            EventKind::Alert | EventKind::Ack => None,
            EventKind::Change | EventKind::Topology => Some(OtherKind::Change),
            EventKind::Feedback => Some(OtherKind::Feedback),
            EventKind::Silence => Some(OtherKind::Silence),
            EventKind::Maintenance => Some(OtherKind::Maintenance),
            EventKind::Heartbeat => Some(OtherKind::Heartbeat),
        };
        if self.skips() {
            return;
        }
        let event = self.finish(draft);
        self.out.push(match other {
            None => Found::Alert(event),
            Some(kind) => Found::Other {
                kind,
                event: Some(event),
            },
        });
    }

    /// Something that is no alert, with what it says.
    pub(crate) fn other(&mut self, kind: OtherKind, mut draft: Draft) {
        draft.kind = match kind {
            OtherKind::Heartbeat => EventKind::Heartbeat,
            OtherKind::Change => EventKind::Change,
            OtherKind::Maintenance => EventKind::Maintenance,
            OtherKind::Silence => EventKind::Silence,
            OtherKind::Feedback => EventKind::Feedback,
            OtherKind::Handshake | OtherKind::Test | OtherKind::Notice => EventKind::Alert,
        };
        // What is no alert has no state of one.
        draft.status = Some(model::Status::Info);
        if !self.skips() {
            let event = Some(self.finish(draft));
            self.out.push(Found::Other { kind, event });
        }
    }

    /// Counts one thing more where nothing more is taken, so that it need not be read.
    pub(crate) fn skips(&mut self) -> bool {
        let is_full = self.out.len() - self.start >= self.max;
        self.over += usize::from(is_full);
        is_full
    }

    /// How much was found beyond the limit.
    pub(crate) fn over(&self) -> usize {
        self.over
    }

    fn finish(&mut self, draft: Draft) -> Box<model::Event> {
        let mut event = Box::new(draft.finish(&self.context));
        if event.source.is_empty() {
            event.source = self.source.into();
        }
        let index = u32::try_from(self.out.len() - self.start).unwrap_or(u32::MAX);
        if index > 0
            && let Some(model::Origin::Log { index: i, .. } | model::Origin::File { index: i, .. }) =
                &mut event.origin
        {
            *i += index;
        }
        event
    }

    pub(crate) fn push(&mut self, found: Found) {
        if !self.skips() {
            self.out.push(found);
        }
    }

    pub(crate) fn reject(&mut self, mut rejection: Rejection) {
        if rejection.source.is_none() && !self.source.is_empty() {
            rejection.source = Some(self.source.into());
        }
        self.push(Found::Rejected(rejection));
    }

    /// A needed field is missing or of another kind.
    pub(crate) fn unreadable(&mut self, path: &str, reason: &str) {
        self.reject(Rejection::new(Stage::Read, reason).path(path));
    }

    /// Forgets what was found after `count` was this.
    pub(crate) fn undo(&mut self, count: usize) {
        self.out.truncate(self.start + count.min(self.max));
        self.over = count.saturating_sub(self.max);
    }

    /// How much has been found in this body.
    pub(crate) fn count(&self) -> usize {
        self.out.len() - self.start + self.over
    }

    /// Decodes a value by its shape; `false` when no source knows it.
    pub(crate) fn route(&mut self, value: &Value, forced: Option<&str>) -> bool {
        let source = match forced.and_then(|name| named(name, value)) {
            Some(source) => Some(source),
            None => TABLE.iter().find(|s| (s.detect)(value)),
        };
        match source {
            Some(source) => {
                self.by(source, value);
                true
            }
            None => false,
        }
    }

    fn by(&mut self, source: &'static Source, value: &Value) {
        if self.envelopes >= ENVELOPES_MAX {
            self.reject(Rejection::new(
                Stage::Read,
                format!("more than {ENVELOPES_MAX} envelopes within each other"),
            ));
            return;
        }
        let outer = std::mem::replace(&mut self.source, source.name);
        self.envelopes += 1;
        (source.decode)(value, self);
        self.envelopes -= 1;
        self.source = outer;
    }

    /// Decodes what an envelope carries; `false` when no source knows it. Text is read as JSON first.
    pub(crate) fn inner(&mut self, value: &Value) -> bool {
        match value {
            Value::String(text) => serde_json::from_str::<Value>(text)
                .is_ok_and(|v| (v.is_object() || v.is_array()) && self.inner(&v)),
            Value::Object(_) | Value::Array(_) => {
                if self.native(value) {
                    return true;
                }
                if self.route(value, None) {
                    return true;
                }
                match value {
                    Value::Array(items) if !items.is_empty() => {
                        let before = self.count();
                        let all = items.iter().all(|item| self.skips() || self.inner(item));
                        if !all {
                            self.undo(before);
                        }
                        all
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Like `inner`, and by best guess what no source knows: anything that may be an alert, or with `plainly` only what
    /// names one and says its state or how bad it is. `at` is when the envelope was sent, for what names no time.
    pub(crate) fn inner_or_guess(&mut self, value: &Value, plainly: bool, at: Option<&Value>) -> bool {
        if self.inner(value) {
            return true;
        }
        let parsed = value
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let value = parsed.as_ref().unwrap_or(value);
        value.is_object()
            && (!plainly || generic::is_plainly_alert(value))
            && match at.and_then(|at| generic::carried::stamped(value, at)) {
                Some(stamped) => generic::decode(&stamped, None, self),
                None => generic::decode(value, None, self),
            }
    }

    /// Decodes a native event; `false` when it is none.
    pub(crate) fn native(&mut self, value: &Value) -> bool {
        use serde::Deserialize as _;
        match crate::native::Native::deserialize(value) {
            Ok(native) if native.is_one() => {
                self.native_draft(native.draft, || serde_json::from_value(value.clone()));
                true
            }
            _ => false,
        }
    }

    /// Takes a native event; one of kind `topology` is read once more as what it is.
    pub(crate) fn native_draft(
        &mut self,
        draft: Draft,
        topology: impl FnOnce() -> Result<topology::Record, serde_json::Error>,
    ) {
        if draft.kind == EventKind::Topology {
            match topology() {
                Ok(record) => topology::found(record, self),
                Err(error) => self.unreadable("", &format!("no topology change: {error}")),
            }
        } else {
            self.event(Draft {
                source: if draft.source.is_empty() {
                    Text::const_new("native")
                } else {
                    draft.source.clone()
                },
                ..draft
            });
        }
    }
}
