//! Inbound e-mail as JSON: SendGrid, Mailgun, Postmark, SES and plain `{from, subject, text}`.
//!
//! <https://postmarkapp.com/developer/webhooks/inbound-webhook>, <https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/>.
//! The subject without its word of state, and the sender, are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "email",
    forms: "Postmark, Mailgun, SendGrid, CloudMailin, SES, plain",
    reference: "https://postmarkapp.com/developer/webhooks/inbound-webhook",
    detect: |v| {
        let names = Names::of(v, str::to_lowercase);
        names.all(&["subject"])
            && names.any(&["from", "sender", "fromfull"])
            && names.any(&[
                "text", "textbody", "body-plain", "stripped-text", "html", "htmlbody", "body", "content",
                "plain", "to", "recipient",
            ])
            || find(v, "mail.commonHeaders.subject").is_some()
            || find(v, "headers.subject").is_some() && has(v, &["envelope"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["subject", "mail.commonHeaders.subject", "headers.subject"],
    text: &[
        "stripped-text", "text", "textbody", "body-plain", "plain", "body", "content",
    ],
    ts: &[
        "timestamp",
        "date",
        "mail.timestamp",
        "mail.commonHeaders.date",
        "headers.date",
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("email", &SHAPE, v);
    let from = f
        .first(&["fromfull.Email", "sender", "from", "mail.source", "headers.from"])
        .unwrap_or_default();
    // The address alone: display names vary.
    let address = from
        .rsplit('<')
        .next()
        .unwrap_or(&from)
        .trim_end_matches('>')
        .trim()
        .to_ascii_lowercase();
    d.about = Some(model::Labels::from_iter([("from", address)]));
    // Mails of a recovery often name less than those of their alert.
    d.named_beside_key();
    let said: Vec<String> = d
        .title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(12)
        .map(str::to_ascii_lowercase)
        .collect();
    let over = said.iter().any(|w| {
        matches!(
            w.as_str(),
            "resolved" | "recovered" | "recovery" | "ok" | "cleared" | "closed" | "up"
        )
    });
    d.over(over);
    let word = said.iter().find(|w| {
        matches!(
            w.as_str(),
            "critical"
                | "crit"
                | "fatal"
                | "error"
                | "major"
                | "warning"
                | "warn"
                | "minor"
                | "disaster"
                | "p1"
                | "p2"
                | "p3"
        )
    });
    d.severity_word(word.map(Text::from));
    d.label("annotation.from", from);
    for name in [
        "to", "recipient", "cc", "headers", "message-headers", "messageid", "message-id", "html", "htmlbody",
        "body-html", "stripped-html", "attachments", "envelope",
    ] {
        if let Some(value) = f.take(name)
            && let Some(text) = scalar(value)
            && !name.contains("html")
        {
            d.label(&format!("annotation.{name}"), text);
        }
    }
    let mut rest = Draft::default();
    f.rest_into(&mut rest);
    for (name, value) in rest.labels.iter() {
        d.label(&format!("annotation.{name}"), value);
    }
    sink.event(d);
}
