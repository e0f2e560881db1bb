//! Chat messages that are laid out in blocks: Slack, Google Chat, Feishu. What they say first is their title, facts are
//! written as `*Host:*` above or before a name, or as a label beside a text.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks/section-block>,
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/cards>,
//! <https://open.feishu.cn/document/feishu-cards/card-json-structure>.

use serde_json::Map;

use crate::{pairs::pair, source::prelude::*};

/// Blocks within blocks, all of them, and bytes of a name above a value, at most.
const DEPTH_MAX: usize = 10;
const TEXTS_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 32;

/// The message with what its card says as plain fields, beside those that it has; `None` where it tells no facts, which is
/// read as well as it stands.
pub(super) fn said(value: &Value) -> Option<Value> {
    let cards = [
        "blocks", "attachments.0.blocks", "cardsV2.0.card", "cards.0", "card",
    ];
    let (at, card) = cards
        .iter()
        .find_map(|at| Some((at, find(value, at).filter(|card| is_card(card))?)))?;
    let mut said = Said::default();
    let text = text_at(value, "text");
    // A header is the title; `New alert` above it is none.
    let headed = has_header(card);
    if let Some(text) = text.as_deref().filter(|_| !headed) {
        said.text(text);
    }
    said.read(card, 0);
    if let Some(text) = text.as_deref().filter(|_| headed) {
        said.text(text);
    }
    let Said {
        mut facts,
        texts,
        link,
        ..
    } = said;
    if facts.is_empty() {
        return None;
    }
    let mut texts = texts.into_iter();
    // What stands above the blocks of an attachment is its title.
    let titled = text_at(value, "attachments.0.title").is_some();
    let title = if titled { None } else { texts.next() };
    let rest: Vec<String> = texts.filter(|text| Some(text) != title.as_ref()).collect();
    let rest = Some(rest.join("\n")).filter(|rest| !rest.is_empty());
    for (name, value) in [("title", title), ("text", rest.clone()), ("url", link)] {
        if let Some(value) = value {
            facts.entry(name).or_insert_with(|| value.into());
        }
    }
    let mut message = value.as_object()?.clone();
    // What has been read need not be kept a second time.
    match (
        *at,
        message.get_mut("attachments").and_then(|list| list.get_mut(0)),
    ) {
        ("attachments.0.blocks", Some(Value::Object(first))) => first.remove("blocks"),
        _ => message.remove(at.split('.').next().unwrap_or_default()),
    };
    if rest.is_some() || !headed {
        message.remove("text");
    }
    let known: Vec<String> = message.keys().map(|name| plain(name)).collect();
    message.extend(
        facts
            .into_iter()
            .filter(|(name, _)| !known.contains(&plain(name))),
    );
    Some(Value::Object(message))
}

/// Whether it is laid out as cards are; a bank has cards, too.
fn is_card(card: &Value) -> bool {
    const PARTS: [&str; 4] = ["header", "sections", "elements", "body"];
    card.is_array() || PARTS.iter().any(|part| card.get(part).is_some())
}

fn has_header(card: &Value) -> bool {
    let is_header = |block: &Value| block.get("type").and_then(Value::as_str) == Some("header");
    card.get("header").is_some() || card.as_array().is_some_and(|blocks| blocks.iter().any(is_header))
}

#[derive(Default)]
struct Said {
    facts: Map<String, Value>,
    texts: Vec<String>,
    link: Option<String>,
    seen: usize,
}

impl Said {
    fn read(&mut self, block: &Value, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match block {
            Value::Array(blocks) => blocks.iter().for_each(|block| self.read(block, depth + 1)),
            Value::Object(map) => {
                // `{"topLabel": "Host", "text": "db-1"}`
                if let Some(name) = text_at(block, "topLabel")
                    && let Some(value) = text_at(block, "text").or_else(|| text_at(block, "content"))
                {
                    return self.fact(&name, &value);
                }
                // What is pressed says no fact, but may lead somewhere.
                if let Some(link) = map.get("url").and_then(Value::as_str) {
                    self.link.get_or_insert_with(|| link.to_owned());
                    return;
                }
                if map.get("type").and_then(Value::as_str) == Some("button") {
                    return;
                }
                // A header comes first, however its fields are sorted.
                for name in ["header", "title", "subtitle", "text", "content"] {
                    match map.get(name) {
                        Some(Value::String(text)) => self.text(text),
                        Some(inner) => self.read(inner, depth + 1),
                        None => {}
                    }
                }
                for name in [
                    "fields", "elements", "sections", "widgets", "decoratedText", "keyValue",
                    "textParagraph", "columns",
                ] {
                    if let Some(inner) = map.get(name) {
                        self.read(inner, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.seen += 1;
        if self.seen > TEXTS_MAX {
            return;
        }
        let bold = text.trim_start().starts_with('*');
        let text = text.replace(['*', '`'], "");
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        // A name above its value.
        if let [name, value] = lines[..]
            && (bold || name.ends_with(':'))
            && name.len() <= NAME_BYTES_MAX
            && pair(name).is_none()
        {
            return self.fact(name, value);
        }
        for line in lines {
            match pair(line) {
                // What is said first is what it is about, whatever it looks like.
                Some((name, value)) if !self.texts.is_empty() => self.fact(name, value),
                _ => self.texts.push(line.to_owned()),
            }
        }
    }

    fn fact(&mut self, name: &str, value: &str) {
        let value = value.trim();
        // `<https://…|db-1>` is how Slack writes a link.
        let shown = value.strip_prefix('<').and_then(|v| v.strip_suffix('>'));
        let value = shown.map_or(value, |v| v.split_once('|').map_or(v, |(_, shown)| shown));
        let name = name.trim().trim_end_matches(':').trim();
        let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
        if self.facts.len() < TEXTS_MAX && is_name && !value.is_empty() {
            self.facts
                .entry(name.to_lowercase())
                .or_insert_with(|| value.into());
        }
    }
}
