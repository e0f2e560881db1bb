//! JSON values as senders really write them: a number where text is meant, `null` for nothing.

use std::{borrow::Cow, fmt};

use model::Text;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};
use serde_json::{Number, Value};

/// A value read without insisting on its type. It owns its text: native events are read a tenth slower through
/// what borrows it.
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
    fn into_ref<'a>(self) -> LaxRef<'a> {
        match self {
            Lax::Nothing => LaxRef::Nothing,
            Lax::Scalar(text) => LaxRef::Scalar(Cow::Owned(text.into())),
            Lax::Nested(value) => LaxRef::Nested(value),
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

/// The same for text that stays where it is: nothing is copied that the sender did not escape.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum LaxRef<'a> {
    /// `null` or an empty string.
    #[default]
    Nothing,
    /// Text, a number or a boolean, as text.
    Scalar(Cow<'a, str>),
    /// An array or an object.
    Nested(Value),
}

impl LaxRef<'_> {
    /// The text, if it is a scalar.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            LaxRef::Scalar(text) => Some(text),
            LaxRef::Nothing | LaxRef::Nested(_) => None,
        }
    }
    /// A copy of the text, if it is a scalar.
    pub(crate) fn text(&self) -> Option<Text> {
        self.as_str().map(Text::from)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LaxRef<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<LaxRef<'a>, D::Error> {
        d.deserialize_any(LaxRefVisitor)
    }
}

struct LaxRefVisitor;

impl<'de> Visitor<'de> for LaxRefVisitor {
    type Value = LaxRef<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<LaxRef<'de>, E> {
        Ok(if text.is_empty() {
            LaxRef::Nothing
        } else {
            LaxRef::Scalar(Cow::Borrowed(text))
        })
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<LaxRef<'de>, E> {
        LaxVisitor.visit_str(text).map(Lax::into_ref)
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<LaxRef<'de>, E> {
        LaxVisitor.visit_bool(value).map(Lax::into_ref)
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<LaxRef<'de>, E> {
        LaxVisitor.visit_u64(value).map(Lax::into_ref)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<LaxRef<'de>, E> {
        LaxVisitor.visit_i64(value).map(Lax::into_ref)
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<LaxRef<'de>, E> {
        LaxVisitor.visit_f64(value).map(Lax::into_ref)
    }
    fn visit_unit<E: de::Error>(self) -> Result<LaxRef<'de>, E> {
        Ok(LaxRef::Nothing)
    }
    fn visit_none<E: de::Error>(self) -> Result<LaxRef<'de>, E> {
        Ok(LaxRef::Nothing)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LaxRef<'de>, A::Error> {
        LaxVisitor.visit_map(map).map(Lax::into_ref)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<LaxRef<'de>, A::Error> {
        LaxVisitor.visit_seq(seq).map(Lax::into_ref)
    }
}
