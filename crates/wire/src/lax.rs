//! JSON values as senders really write them: a number where text is meant, `null` for nothing.

use std::fmt;

use model::Text;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};
use serde_json::{Number, Value};

/// A value read without insisting on its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Lax {
    /// `null` or an empty string.
    #[default]
    Nothing,
    /// Text, a number or a boolean, as text.
    Scalar(Text),
    /// An array or an object.
    Nested(Value),
}

impl Lax {
    /// The text, if it is a scalar.
    pub(crate) fn text(self) -> Option<Text> {
        match self {
            Lax::Scalar(text) => Some(text),
            Lax::Nothing | Lax::Nested(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Lax {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Lax, D::Error> {
        d.deserialize_any(LaxVisitor)
    }
}

struct LaxVisitor;

impl<'de> Visitor<'de> for LaxVisitor {
    type Value = Lax;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lax, E> {
        Ok(if text.is_empty() {
            Lax::Nothing
        } else {
            Lax::Scalar(text.into())
        })
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Lax, E> {
        Ok(Lax::Scalar(Text::const_new(if value { "true" } else { "false" })))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Lax, E> {
        Ok(Lax::Scalar(compact_str::format_compact!("{value}")))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Lax, E> {
        Ok(Lax::Scalar(compact_str::format_compact!("{value}")))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Lax, E> {
        Ok(
            Number::from_f64(value)
                .map_or(Lax::Nothing, |n| Lax::Scalar(compact_str::format_compact!("{n}"))),
        )
    }
    fn visit_unit<E: de::Error>(self) -> Result<Lax, E> {
        Ok(Lax::Nothing)
    }
    fn visit_none<E: de::Error>(self) -> Result<Lax, E> {
        Ok(Lax::Nothing)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lax, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Lax::Nested)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Lax, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(Lax::Nested)
    }
}
