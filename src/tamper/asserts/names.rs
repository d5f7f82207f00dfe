//! The names of assertions of all the usual libraries, and how much each says.

/// How much an assertion says: the order is what "loosened" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tamper) enum Rank {
    /// It cannot fail.
    Nothing,
    /// There is something.
    Exists,
    /// A condition holds.
    Truth,
    /// It lies within a range, contains or resembles something.
    Loose,
    /// It has so many parts.
    Size,
    /// It is this.
    Exact,
}

/// What an assertion does with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Two values are the same.
    Equal,
    /// An expression holds, or does not.
    Expression { holds: bool },
    /// Always of the same strength.
    Fixed(Rank),
    /// As [`Rank::Loose`]; the last number is a tolerance (1) or a precision (-1).
    Near(i8),
    /// Something is thrown.
    Raises,
    /// Compared with a recorded result.
    Snapshot,
    /// The test fails here.
    Fail,
}

/// The form of an assertion that goes by its own name: `assert_eq!`, `assertEquals`, `assert_called_with`.
pub(super) fn named(name: &str) -> Option<Form> {
    let flat = flat(name)?;
    let rest = flat.strip_prefix("debug").or_else(|| flat.strip_prefix("prop")).unwrap_or(&flat);
    let rest = rest.strip_prefix("assert")?;
    Some(match rest {
        "" | "true" | "truthy" => Form::Expression { holds: true },
        "false" | "not" => Form::Expression { holds: false },
        "eq" | "equal" | "equals" | "is" | "same" | "listequal" | "dictequal" | "setequal" | "tupleequal"
        | "sequenceequal" | "multilineequal" | "countequal" | "itemsequal" | "arrayequal" | "arrayequals"
        | "iterableequals" | "deepequal" | "strictequal" | "deepequals" | "contentequals" | "strequal" => Form::Equal,
        "linesmatch" | "isnone" | "null" | "isnull" | "calledwith" | "calledoncewith" | "hascalls" | "notcalled"
        | "anycall" | "awaitedwith" => Form::Fixed(Rank::Exact),
        "calledonce" | "length" | "len" => Form::Fixed(Rank::Size),
        "ne" | "notequal" | "notequals" | "in" | "notin" | "greater" | "greaterequal" | "regex" | "notregex"
        | "logs" | "nologs" | "warns" | "contains" | "notsame" | "isnot" | "matches" | "dictcontainssubset" => {
            Form::Fixed(Rank::Loose)
        }
        "less" | "lessequal" => Form::Near(1),
        "isnotnone" | "notnull" | "isnotnull" | "isinstance" | "notisinstance" | "called" | "doesnotthrow"
        | "instanceof" | "isdefined" | "some" | "ok" | "iserr" => Form::Fixed(Rank::Exists),
        "almostequal" | "almostequals" | "notalmostequal" => Form::Near(-1),
        "allclose" | "approxeq" | "relativeeq" | "absdiffeq" | "ulpseq" | "inepsilon" | "arrayalmostequal" => {
            Form::Near(1)
        }
        "raises" | "raisesregex" | "raisesregexp" | "throws" | "throwsexactly" | "failswith" | "rejects" => {
            Form::Raises
        }
        "matchessnapshot" => Form::Snapshot,
        _ if rest.contains("snapshot") => Form::Snapshot,
        _ => return None,
    })
}

/// The form of a member of an assertion object: `assert.Equal`, `require.NoError`, `t.is`.
pub(super) fn member(name: &str) -> Option<Form> {
    let flat = flat(name)?;
    let flat =
        flat.strip_suffix('f').filter(|_| name.ends_with('f') && !matches!(name, "if" | "notif")).unwrap_or(&flat);
    Some(match flat {
        "true" | "ok" | "assert" => Form::Expression { holds: true },
        "false" | "notok" => Form::Expression { holds: false },
        "equal" | "equals" | "equalvalues" | "exactly" | "jsoneq" | "yamleq" | "elementsmatch" | "strictequal"
        | "deepequal" | "deepstrictequal" | "is" | "same" => Form::Equal,
        "nil" | "null" | "undefined" | "equalerror" | "empty" | "noerror" | "zero" | "errorcontains" | "fileequal" => {
            Form::Fixed(Rank::Exact)
        }
        "len" | "lengthof" | "erroris" | "erroras" => Form::Fixed(Rank::Size),
        "contains" | "notcontains" | "subset" | "greater" | "greaterorequal" | "regexp" | "notequal" | "match"
        | "include" | "not" | "notdeepequal" | "notstrictequal" | "regex" | "haspropertyval" | "like" => {
            Form::Fixed(Rank::Loose)
        }
        "less" | "lessorequal" => Form::Near(1),
        "notnil" | "notempty" | "error" | "exists" | "isdefined" | "truthy" | "falsy" | "isok" | "notzero"
        | "istype" | "implements" | "doesnotthrow" | "notpanics" | "notthrows" => Form::Fixed(Rank::Exists),
        "indelta" | "inepsilon" | "withinduration" | "closeto" | "approximately" => Form::Near(1),
        "panics" | "panicswithvalue" | "panicswitherror" | "throws" | "rejects" | "throwsasync" => Form::Raises,
        "snapshot" => Form::Snapshot,
        "fail" | "failnow" => Form::Fail,
        _ => return None,
    })
}

/// What a matcher of a chain says: `expect(x).toBe`, `assertThat(x).isEqualTo`; nothing for a word that only connects.
pub(super) fn matcher(name: &str) -> Option<Form> {
    let Some(flat) = flat(name) else { return Some(Form::Fixed(Rank::Exact)) };
    Some(match flat.as_str() {
        "to"
        | "be"
        | "been"
        | "is"
        | "that"
        | "which"
        | "and"
        | "has"
        | "have"
        | "with"
        | "at"
        | "of"
        | "but"
        | "does"
        | "still"
        | "also"
        | "deep"
        | "own"
        | "nested"
        | "any"
        | "all"
        | "resolves"
        | "rejects"
        | "not"
        | "never"
        | "soft"
        | "as"
        | "describedas"
        | "withfailmessage"
        | "extracting"
        | "usingrecursivecomparison"
        | "eventually"
        | "it"
        | "isnot"
        | "first"
        | "last"
        | "element"
        | "returns"
        | "then"
        | "catch"
        | "finally" => return None,
        "tobetruthy" | "tobefalsy" | "true" | "false" | "istrue" | "isfalse" | "satisfies" => Form::Fixed(Rank::Truth),
        "tobedefined"
        | "tobeinstanceof"
        | "exist"
        | "ok"
        | "isnotnull"
        | "isinstanceof"
        | "ispresent"
        | "tohavebeencalled"
        | "tobecalled"
        | "called"
        | "isnotempty"
        | "tobeinthedocument"
        | "isinstance"
        | "a"
        | "an"
        | "instanceof"
        | "tobenullish"
        | "isnotblank"
        | "doesnotthrowanyexception" => Form::Fixed(Rank::Exists),
        "tocontain"
        | "tocontainequal"
        | "tomatch"
        | "tobegreaterthan"
        | "tobegreaterthanorequal"
        | "tohaveproperty"
        | "include"
        | "contain"
        | "contains"
        | "match"
        | "above"
        | "least"
        | "startswith"
        | "endswith"
        | "isgreaterthan"
        | "isgreaterthanorequalto"
        | "containsanyof"
        | "isin"
        | "matches"
        | "isnotequalto"
        | "containskey"
        | "tohavetextcontent" => Form::Fixed(Rank::Loose),
        "tobelessthan" | "tobelessthanorequal" | "below" | "most" | "within" | "islessthan" | "islessthanorequalto" => {
            Form::Near(1)
        }
        "tobecloseto" => Form::Near(-1),
        "closeto" | "iscloseto" | "approximately" => Form::Near(1),
        "tohavelength"
        | "tomatchobject"
        | "hassize"
        | "lengthof"
        | "length"
        | "tohavebeencalledtimes"
        | "containsonly"
        | "hassamesizeas"
        | "calledonce" => Form::Fixed(Rank::Size),
        "tothrow" | "tothrowerror" | "throw" | "throws" | "isthrownby" | "rejectedwith" | "isinstanceofany" => {
            Form::Raises
        }
        _ if flat.contains("snapshot") => Form::Snapshot,
        _ => Form::Equal,
    })
}

/// A name in small letters without underscores; nothing for one too long to be an assertion's.
fn flat(name: &str) -> Option<String> {
    const LONGEST: usize = 40;
    (name.len() <= LONGEST).then(|| name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect())
}

/// Whether an unknown function is an assertion of the project's own by its name.
pub(super) fn is_own(name: &str) -> bool {
    ["assert", "expect"].iter().any(|head| {
        name.strip_prefix(head).is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase()))
    })
}
