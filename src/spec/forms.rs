//! The small forms that manifest fields take: texts, durations, bounded numbers, shorthands, and values that count as absent.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key that may carry anything, anywhere, and means nothing.
pub const COMMENT: &str = "$comment";

/// A text; the file may give it as an array of lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// The text as one string, lines joined by `\n`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Joins an array of lines.
fn join_lines<'de, A: SeqAccess<'de>>(mut lines: A) -> Result<Text, A::Error> {
    let mut text: String = lines.next_element()?.unwrap_or_default();
    while let Some(line) = lines.next_element::<std::borrow::Cow<'de, str>>()? {
        text.push('\n');
        text.push_str(&line);
    }
    Ok(Text(text))
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an array of lines")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::from(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, lines: A) -> Result<Text, A::Error> {
                join_lines(lines)
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, or an array of lines.",
            "type": ["string", "array"],
            "items": { "type": "string" },
        })
    }
}

/// A length of time as people write it: `45m`, `1h 30m`, `500ms`. Units: ms, s, m, h, d.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    /// What [`FromStr`] accepts, as a regular expression for the schema.
    pub const PATTERN: &str = r"^[0-9]{1,6}(ms|s|m|h|d)( ?[0-9]{1,6}(ms|s|m|h|d))*$";
}

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration; write it like `45m`, `1h 30m` or `90s`")]
pub struct NoDuration(String);

impl FromStr for HumanDuration {
    type Err = NoDuration;
    fn from_str(text: &str) -> Result<Self, NoDuration> {
        parse_duration(text).map(Self).ok_or_else(|| NoDuration(text.to_owned()))
    }
}

/// Sums number-and-unit groups, with at most one space between two; see [`HumanDuration::PATTERN`].
fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=6).contains(&digits) {
            return None;
        }
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().ok()?;
        total = total.saturating_add(match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number * 60),
            "h" => Duration::from_secs(number * 3600),
            "d" => Duration::from_secs(number * 86_400),
            _ => return None,
        });
        if tail.is_empty() {
            return Some(total);
        }
        rest = tail.strip_prefix(' ').unwrap_or(tail);
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (number, unit) = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
            .into_iter()
            .find(|(size, _)| millis > 0 && millis.is_multiple_of(*size))
            .map_or((millis, "ms"), |(size, unit)| (millis / size, unit));
        write!(f, "{number}{unit}")
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for HumanDuration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time such as \"45m\", \"1h 30m\" or \"90s\".",
            "type": "string",
            "pattern": Self::PATTERN,
        })
    }
}

/// A whole number from `MIN` to `MAX`, both included: the schema and the deserialiser take the bounds from the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// The number, if it is within the bounds.
    pub fn new(number: u32) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Through f64, because JSON knows one kind of number: `3` and `3.0` are the same integer to a JSON Schema.
        let number = f64::deserialize(deserializer)?;
        if number.fract() == 0.0 && (f64::from(MIN)..=f64::from(MAX)).contains(&number) {
            return Ok(Self(number as u32));
        }
        Err(D::Error::custom(format_args!("{number} is no whole number from {MIN} to {MAX}")))
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// The value of a `$comment` key: anything, read over, kept nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comment;

impl<'de> Deserialize<'de> for Comment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for Comment {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Comment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// An object form `T` that may be given short, as the one text it is made from.
pub struct Shorthand<T>(T);

impl<'de, T: Deserialize<'de> + From<Text>> Deserialize<'de> for Shorthand<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShorthandVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + From<Text>> Visitor<'de> for ShorthandVisitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an object")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                Ok(Text::from(text).into())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, lines: A) -> Result<T, A::Error> {
                join_lines(lines).map(T::from)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(ShorthandVisitor(PhantomData)).map(Self)
    }
}

impl<T> Shorthand<T> {
    /// The object, however it was given.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: JsonSchema> JsonSchema for Shorthand<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrText", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        let object = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [text, object] })
    }
}

/// A `T` that must be given as an object: the derived code would take an array of its fields' values too, which no schema knows.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// Reads a `T`, or nothing from `""` and `null`: tools that write every field write those for the ones that are not set.
struct Present<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Present<T> {
    type Value = Option<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or an empty text for none")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() { Ok(None) } else { T::deserialize(text.into_deserializer()).map(Some) }
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Some)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Some)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Some)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Some)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(Some)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// For `deserialize_with`: a value that may be absent.
pub(super) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Present(PhantomData))
}

/// For `deserialize_with`: a value whose absence is its default.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    optional(deserializer).map(Option::unwrap_or_default)
}

/// For `deserialize_with`: an object whose absence is its default.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(optional::<D, Object<T>>(deserializer)?.map_or_else(T::default, |Object(value)| value))
}

/// For `deserialize_with`: a list of objects.
pub(super) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list: Vec<Object<T>> = or_default(deserializer)?;
    // The wrapper has the layout of what it wraps, so the list is turned in place.
    Ok(list.into_iter().map(|Object(value)| value).collect())
}

/// For `deserialize_with`: an object or its shorthand, or absent.
pub(super) fn short<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + From<Text>,
{
    Ok(optional::<D, Shorthand<T>>(deserializer)?.map(|Shorthand(value)| value))
}

/// For `deserialize_with`: a list of objects or their shorthands.
pub(super) fn short_list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + From<Text>,
{
    let list: Vec<Shorthand<T>> = or_default(deserializer)?;
    Ok(list.into_iter().map(|Shorthand(value)| value).collect())
}

/// A map from names to texts, in which no name is given twice.
pub type TextMap = BTreeMap<String, String>;

/// Reads a [`TextMap`]; the standard map would silently keep the last of two equal names.
struct Unique(TextMap);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueVisitor;
        impl<'de> Visitor<'de> for UniqueVisitor {
            type Value = TextMap;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextMap, A::Error> {
                let mut texts = TextMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key == COMMENT {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if texts.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    }
                    texts.insert(key, map.next_value()?);
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_map(UniqueVisitor).map(Self)
    }
}

/// For `deserialize_with`: a [`TextMap`].
pub(super) fn text_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TextMap, D::Error> {
    Ok(optional::<D, Unique>(deserializer)?.map_or_else(TextMap::new, |Unique(map)| map))
}

/// The schema of a [`TextMap`].
pub(super) fn text_map_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "properties": { COMMENT: true }, "additionalProperties": { "type": "string" } })
}
