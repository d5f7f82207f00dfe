//! The example projects, built into the program: what `examples/` holds, file by file.

use crate::cli::args::Example;

/// A file: its path below the example's directory, and its text.
pub type File = (&'static str, &'static str);

/// Takes each file of an example in under the path that it has there.
macro_rules! embed {
    ($example:literal: $($path:literal,)*) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/", $example, "/", $path))),)*]
    };
}

/// All files of an example.
pub fn of(example: Example) -> &'static [File] {
    match example {
        Example::Wordfreq => WORDFREQ,
        Example::CliFeature => CLI_FEATURE,
        Example::PythonService => PYTHON_SERVICE,
        Example::WebPage => WEB_PAGE,
        Example::Refactoring => REFACTORING,
    }
}

const WORDFREQ: &[File] = embed![
    "wordfreq":
    "files/cli_test.sh",
    "files/count.sh",
    "files/count_test.sh",
    "files/filter.sh",
    "files/filter_test.sh",
    "files/rank.sh",
    "files/rank_first.sh",
    "files/rank_skeleton.sh",
    "files/rank_test.sh",
    "files/report.sh",
    "files/report_test.sh",
    "files/tokenize.sh",
    "files/tokenize_test.sh",
    "files/wordfreq.sh",
    "project/README.md",
    "project/data/sample.txt",
    "project/data/stopwords.txt",
    "project/tests/check.sh",
    "project/tests/data_test.sh",
    "project/tests/end_to_end.sh",
    "project/tests/lint.sh",
    "project/tests/run.sh",
    "scenario.json",
    "spec/CONTEXT.md",
    "spec/SPEC.md",
    "spec/manifest.json",
];

const CLI_FEATURE: &[File] = embed![
    "cli-feature":
    "files/cli_test.rs",
    "files/json.rs",
    "files/json_first.rs",
    "files/json_test.rs",
    "files/main.rs",
    "files/order.rs",
    "files/order_test.rs",
    "project/.gitignore",
    "project/Cargo.lock",
    "project/Cargo.toml",
    "project/README.md",
    "project/src/main.rs",
    "project/tests/cli.rs",
    "project/tests/data/long.txt",
    "project/tests/data/short.txt",
    "project/tests/end_to_end.sh",
    "scenario.json",
    "spec/SPEC.md",
    "spec/manifest.json",
];

const PYTHON_SERVICE: &[File] = embed![
    "python-service":
    "files/app.py",
    "files/routes.py",
    "files/routes_first.py",
    "files/store.py",
    "files/test_app.py",
    "files/test_routes.py",
    "files/test_store.py",
    "project/.gitignore",
    "project/README.md",
    "project/service/__init__.py",
    "project/service/health.py",
    "project/tests/__init__.py",
    "project/tests/smoke.py",
    "project/tests/test_health.py",
    "scenario.json",
    "spec/SPEC.md",
    "spec/manifest.json",
];

const WEB_PAGE: &[File] = embed![
    "web-page":
    "files/filter.mjs",
    "files/filter.test.mjs",
    "files/index.html",
    "files/main.mjs",
    "files/page.test.mjs",
    "files/render.mjs",
    "files/render.test.mjs",
    "files/render_first.mjs",
    "files/style.css",
    "project/README.md",
    "project/data/books.json",
    "project/tests/data.test.mjs",
    "project/tests/lint.sh",
    "scenario.json",
    "spec/SPEC.md",
    "spec/manifest.json",
];

const REFACTORING: &[File] = embed![
    "refactoring":
    "files/bill.sh",
    "files/bill_skeleton.sh",
    "files/money.sh",
    "files/money_skeleton.sh",
    "files/money_test.sh",
    "files/rows.sh",
    "files/rows_skeleton.sh",
    "files/rows_test.sh",
    "project/README.md",
    "project/bill.sh",
    "project/tests/golden/empty.csv",
    "project/tests/golden/empty.txt",
    "project/tests/golden/small.csv",
    "project/tests/golden/small.txt",
    "project/tests/golden_test.sh",
    "project/tests/lint.sh",
    "project/tests/run.sh",
    "scenario.json",
    "spec/SPEC.md",
    "spec/manifest.json",
];
