//! Opsgenie (and Jira Service Management): outgoing webhook, and the alert as the API takes it.
//!
//! <https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/>,
//! <https://docs.opsgenie.com/docs/alert-api#create-alert>. The alias is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "opsgenie",
    forms: "webhook actions, alert as posted to the API",
    reference: "https://docs.opsgenie.com/docs/opsgenie-edge-connector-alert-action-data",
    detect: |v| {
        has(v, &["action", "alert"])
            && v.get("alert")
                .is_some_and(|a| has(a, &["alertId"]) || has(a, &["tinyId"]) || has(a, &["alias"]))
            || has(v, &["message", "alias"])
                && ["priority", "responders", "entity", "details"]
                    .iter()
                    .any(|k| v.get(k).is_some())
    },
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("opsgenie", &EMPTY, value);
    let base = if value.get("alert").is_some() {
        "alert."
    } else {
        ""
    };
    let at = |name: &str| format!("{base}{name}");
    let action = f.text("action");
    d.title = f.text(&at("message")).unwrap_or_default();
    d.text = f.text(&at("description")).unwrap_or_default();
    d.key = f.first(&[&at("alias"), &at("alertId")]);
    d.severity_word(f.text(&at("priority")));
    d.starts_at = f.time(&[&at("createdAt")]);
    if action.as_deref() != Some("Create") {
        d.ts = f.time(&[&at("updatedAt")]);
    }
    let entity = f.text(&at("entity"));
    d.host = f.first(&[&at("details.host"), &at("details.hostname")]);
    d.service = f.text(&at("details.service")).or(entity.clone());
    d.entity("entity", entity);
    for name in ["details", "tags"] {
        if let Some(t) = f.take(&at(name)) {
            tags(t, &mut d);
        }
    }
    let test = action.as_deref().is_some_and(|a| a.eq_ignore_ascii_case("test"));
    let notice = match action.as_deref() {
        None
        | Some(
            "Create" | "UnAcknowledge" | "Escalate" | "EscalateNext" | "UpdatePriority" | "Unsnooze"
            | "SnoozeEnded",
        ) => {
            d.state(Some(State::Firing));
            false
        }
        Some("Snooze") => {
            d.state(Some(State::Acked));
            d.ends_at = f.time(&[&at("snoozeEndDate"), &at("snoozedUntil")]);
            false
        }
        Some("Acknowledge" | "Assign" | "AssignOwnership" | "TakeOwnership") => {
            d.state(Some(State::Acked));
            false
        }
        Some("Close" | "Delete") => {
            d.state(Some(State::Resolved));
            false
        }
        Some(_) => true,
    };
    if action.as_deref() != Some("Create")
        && let Some(who) = f.glance(&at("username"))
    {
        d.label("actor", who);
    }
    if let Some(action) = action {
        d.label("action", action);
    }
    f.rest_into(&mut d);
    if test {
        sink.other(OtherKind::Test, d)
    } else if notice {
        sink.other(OtherKind::Notice, d)
    } else {
        sink.event(d)
    }
}
