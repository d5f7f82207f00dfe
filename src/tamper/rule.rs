//! The rules, each with a code that stays.

use std::fmt;

/// What a finding is about. Codes are stable: a waiver and a script may name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A test is nowhere any more.
    TestDeleted,
    /// A file of tests is gone with all of them.
    TestFileDeleted,
    /// A parametrised test has fewer cases.
    CasesDropped,
    /// A test is there and does not run.
    TestSkipped,
    /// One test runs alone, the others do not.
    TestFocused,
    /// A module or directory of tests is no longer collected.
    TestsDetached,
    /// A test asserts less often, or nothing.
    AssertionRemoved,
    /// An assertion holds for more than it did.
    AssertionLoosened,
    /// An assertion that cannot fail.
    AssertionTrivial,
    /// Another value is expected, by a component that does not own the tests.
    ExpectationChanged,
    /// A test returns before its assertions.
    EarlyReturn,
    /// The failure of an assertion is caught and forgotten.
    FailureSwallowed,
    /// Another, wider failure is expected.
    ExceptionWidened,
    /// A tolerance or bound is wider.
    ToleranceRaised,
    /// A linter, type checker or coverage tool is told to look away.
    SuppressionAdded,
    /// The failure of a check no longer counts.
    CheckDisabled,
    /// The settings of a check are others.
    CheckSettingsChanged,
    /// A script that a check runs is another.
    CheckScriptChanged,
    /// A recorded result is another.
    SnapshotRewritten,
    /// A file of the product is hidden from version control.
    ProductHidden,
}

impl Rule {
    /// All rules, in the order of their codes.
    pub const ALL: [Rule; 20] = [
        Rule::TestDeleted,
        Rule::TestFileDeleted,
        Rule::CasesDropped,
        Rule::TestSkipped,
        Rule::TestFocused,
        Rule::TestsDetached,
        Rule::AssertionRemoved,
        Rule::AssertionLoosened,
        Rule::AssertionTrivial,
        Rule::ExpectationChanged,
        Rule::EarlyReturn,
        Rule::FailureSwallowed,
        Rule::ExceptionWidened,
        Rule::ToleranceRaised,
        Rule::SuppressionAdded,
        Rule::CheckDisabled,
        Rule::CheckSettingsChanged,
        Rule::CheckScriptChanged,
        Rule::SnapshotRewritten,
        Rule::ProductHidden,
    ];

    /// The stable code: `T101`.
    pub fn code(self) -> &'static str {
        match self {
            Rule::TestDeleted => "T101",
            Rule::TestFileDeleted => "T102",
            Rule::CasesDropped => "T103",
            Rule::TestSkipped => "T104",
            Rule::TestFocused => "T105",
            Rule::TestsDetached => "T106",
            Rule::AssertionRemoved => "T201",
            Rule::AssertionLoosened => "T202",
            Rule::AssertionTrivial => "T203",
            Rule::ExpectationChanged => "T204",
            Rule::EarlyReturn => "T205",
            Rule::FailureSwallowed => "T206",
            Rule::ExceptionWidened => "T207",
            Rule::ToleranceRaised => "T208",
            Rule::SuppressionAdded => "T301",
            Rule::CheckDisabled => "T401",
            Rule::CheckSettingsChanged => "T402",
            Rule::CheckScriptChanged => "T403",
            Rule::SnapshotRewritten => "T501",
            Rule::ProductHidden => "T601",
        }
    }

    /// What the rule finds, and what it deliberately does not, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Rule::TestDeleted => {
                "a test is gone or no longer collected; not one that was renamed, moved, or became a case of a table. A test that goes with its feature is found too: accept it"
            }
            Rule::TestFileDeleted => "a file of tests is deleted and its tests are nowhere else",
            Rule::CasesDropped => {
                "a parametrised or table-driven test has fewer cases, and the lost ones are nowhere else"
            }
            Rule::TestSkipped => {
                "a test is ignored, skipped, disabled or expected to fail; a new one only if without a condition, an old one also under a condition"
            }
            Rule::TestFocused => "`.only`, `fit`, `fdescribe`: all other tests of the file do not run",
            Rule::TestsDetached => "a module of tests is no longer compiled, or a directory no longer collected",
            Rule::AssertionRemoved => {
                "a test has fewer assertions or an empty body; not where a table, a helper or a wider comparison took them over"
            }
            Rule::AssertionLoosened => {
                "an exact comparison became a weaker one: `==` to `>=`, `contains`, `is_some`, truthiness, a length"
            }
            Rule::AssertionTrivial => {
                "an assertion that cannot fail: `assert!(true)`, `assert_eq!(x, x)`, `expect(x)` without a matcher"
            }
            Rule::ExpectationChanged => {
                "an existing assertion expects another value, where the component does not own the tests"
            }
            Rule::EarlyReturn => "an existing test returns before an assertion",
            Rule::FailureSwallowed => {
                "assertions inside of a catch-all that does not fail: `except Exception: pass`, `catch {}`, `recover()`"
            }
            Rule::ExceptionWidened => {
                "`should_panic` is new or expects no text any more, or a wider exception is expected"
            }
            Rule::ToleranceRaised => "a tolerance, precision or bound of an assertion lets more pass",
            Rule::SuppressionAdded => {
                "`allow`, `expect` without a reason, `noqa`, `type: ignore`, `eslint-disable`, `@ts-ignore`, `nolint`, `@SuppressWarnings` and their like; not one that moved or became narrower, and in tests not `unwrap_used`, `dead_code` and what else tests are allowed everywhere"
            }
            Rule::CheckDisabled => {
                "`|| true`, `exit 0`, `set +e`, `--no-verify`, `continue-on-error`, `-DskipTests` and their like in scripts, workflows and build files"
            }
            Rule::CheckSettingsChanged => {
                "settings of linters, type checkers, test runners, coverage, CI, git or the toolchain changed; of Cargo.toml, package.json, pyproject.toml and tsconfig.json only such sections"
            }
            Rule::CheckScriptChanged => "a script that a check names changed, is gone, or cannot be executed any more",
            Rule::SnapshotRewritten => {
                "a snapshot or golden file that existed changed or is gone; not one that is new or only gained entries; an inline snapshot only where the component does not own the tests"
            }
            Rule::ProductHidden => "an ignore file newly hides a file of the component's write set",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
